"""Every fault, in the order of the table."""

from bench.chaos.faults import database, duplicates, order, platform, processes, spool, valkey
from bench.chaos.scene import Fault

FAULTS: tuple[Fault, ...] = (
    *processes.FAULTS,
    *valkey.FAULTS,
    *database.FAULTS,
    *spool.FAULTS,
    *platform.FAULTS,
    *duplicates.FAULTS,
    *order.FAULTS,
)
