"""The fulfilment between a store and a warehouse of the sandbox, for each adapter or for one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pipeline.ledger.engine import make_engine
from pipeline.warehouses import WAREHOUSES
from sandbox.store.server import RunningStore, run_in_thread
from sandbox.store.world import Options
from sandbox.warehouse.server import RunningWarehouse
from tests.pipeline.fulfilment.bridge import Bridge, build_bridge, run_warehouse
from tests.pipeline.ledger.rows import NOW
from tests.pipeline.sandbox_store import AMPLE_PER_S, Clock


@pytest.fixture(scope="module")
def clock() -> Clock:
    """The time of the test, the store and the warehouse."""
    return Clock()


@pytest.fixture(scope="module")
def running_warehouse(clock: Clock) -> Iterator[RunningWarehouse]:
    with run_warehouse(lambda: clock.now / 1_000_000) as running:
        yield running


@pytest.fixture(scope="module")
def running_store() -> Iterator[RunningStore]:
    with run_in_thread(Options("id", "secret", seed=7)) as running:
        yield running


@pytest.fixture
def ledger(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Engine]:
    """An empty ledger on SQLite: what differs between the databases is tested elsewhere."""
    path = tmp_path / "ledger.db"
    shutil.copy(migrated_sqlite, path)
    engine = make_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def make_bridge(
    ledger: Engine,
    running_store: RunningStore,
    running_warehouse: RunningWarehouse,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Bridge]:
    """Connects an empty store with an empty warehouse of this adapter."""
    clock.now = NOW
    for kind in WAREHOUSES.values():
        monkeypatch.setattr(kind, "calls_per_second", AMPLE_PER_S)  # the clock stands still
    running_store.world.reset()
    with running_warehouse.world.lock:
        running_warehouse.world.reset()

    def make(adapter: str = "cartrover", **settings: str) -> Bridge:
        return build_bridge(ledger, running_store, running_warehouse, clock, adapter, **settings)

    return make


@pytest.fixture
def bridge(make_bridge: Callable[..., Bridge]) -> Bridge:
    """A store whose boxes go to a warehouse that speaks the Cart API, live, with nothing to send yet."""
    made = make_bridge()
    made.go_live()
    return made
