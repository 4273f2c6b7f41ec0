from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sandbox.warehouse.server import RunningWarehouse, run_in_thread
from tests.pipeline.warehouses.sandbox_kit import KEYS, Kit


@pytest.fixture(scope="session")
def running_warehouse() -> Iterator[RunningWarehouse]:
    """One warehouse for all tests of a process: each begins with an empty one."""
    with run_in_thread(KEYS) as running:
        yield running


@pytest.fixture
def make_kit(running_warehouse: RunningWarehouse) -> Callable[[str], Kit]:
    """Makes the kit of an adapter, with an empty warehouse."""
    with running_warehouse.world.lock:
        running_warehouse.world.reset()
    return lambda adapter: Kit(adapter, running_warehouse)
