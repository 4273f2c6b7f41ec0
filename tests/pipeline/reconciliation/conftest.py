from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from pipeline.ledger.engine import make_engine
from tests.pipeline.reconciliation.town import Town


@pytest.fixture
def town(migrated_sqlite, tmp_path, shop) -> Iterator[Town]:
    """A store that has just been connected; nobody lives there yet. On SQLite, where no test is about the database."""
    shutil.copy(migrated_sqlite, tmp_path / "town.db")
    engine = make_engine(f"sqlite:///{tmp_path / 'town.db'}")
    yield connected(Town(engine, shop))
    engine.dispose()


@pytest.fixture
def any_town(engine, shop) -> Town:
    """The same, once on SQLite and once on PostgreSQL."""
    return connected(Town(engine, shop))


def connected(town: Town) -> Town:
    town.connect()
    town.compare()
    return town
