from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from pipeline.ledger.engine import make_engine
from tests.pipeline.reconciliation.sandbox_store import SandboxStore


@pytest.fixture
def store(migrated_sqlite, tmp_path, shop) -> Iterator[SandboxStore]:
    """A store that has just been connected; no one lives there yet. On SQLite, where no test is about the database."""
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    engine = make_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield connected(SandboxStore(engine, shop))
    engine.dispose()


@pytest.fixture
def any_store(engine, shop) -> SandboxStore:
    """The same, once on SQLite and once on PostgreSQL."""
    return connected(SandboxStore(engine, shop))


def connected(store: SandboxStore) -> SandboxStore:
    store.connect()
    store.compare()
    return store
