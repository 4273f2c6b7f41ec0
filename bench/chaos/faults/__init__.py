"""Every fault, in the order of the table."""

from bench.chaos.fault_run import Fault
from bench.chaos.faults import (
    boxes,
    broker,
    clock,
    database,
    duplicates,
    expensive_hooks,
    failover,
    fuzz,
    order,
    platform,
    poison,
    pooler,
    power,
    processes,
    release,
    replays,
    slow_connections,
    spool,
    upgrade,
    valkey,
)

FAULTS: tuple[Fault, ...] = (
    *processes.FAULTS,
    *valkey.FAULTS,
    *failover.FAULTS,
    *broker.FAULTS,
    *database.FAULTS,
    *pooler.FAULTS,
    *clock.FAULTS,
    *spool.FAULTS,
    *power.FAULTS,
    *platform.FAULTS,
    *duplicates.FAULTS,
    *order.FAULTS,
    *poison.FAULTS,
    *expensive_hooks.FAULTS,
    *upgrade.FAULTS,
    *release.FAULTS,
    *replays.FAULTS,
    *fuzz.FAULTS,
    *slow_connections.FAULTS,
    *boxes.FAULTS,  # last: their shops and workers stay
)
