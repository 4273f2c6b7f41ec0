"""Every fault, in the order of the table."""

from bench.chaos.faults import processes, valkey
from bench.chaos.scene import Fault

FAULTS: tuple[Fault, ...] = (*processes.FAULTS, *valkey.FAULTS)
