"""Every fault, in the order of the table."""

from bench.chaos.faults import (
    broker,
    clock,
    costly,
    database,
    dawdling,
    duplicates,
    fuzz,
    order,
    platform,
    poison,
    pooler,
    processes,
    release,
    spool,
    upgrade,
    valkey,
)
from bench.chaos.scene import Fault

FAULTS: tuple[Fault, ...] = (
    *processes.FAULTS,
    *valkey.FAULTS,
    *broker.FAULTS,
    *database.FAULTS,
    *pooler.FAULTS,
    *clock.FAULTS,
    *spool.FAULTS,
    *platform.FAULTS,
    *duplicates.FAULTS,
    *order.FAULTS,
    *poison.FAULTS,
    *costly.FAULTS,
    *upgrade.FAULTS,
    *release.FAULTS,
    *fuzz.FAULTS,
    *dawdling.FAULTS,
)
