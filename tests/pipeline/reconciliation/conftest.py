from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from pipeline.ledger.engine import make_engine
from sandbox.store.server import serving
from sandbox.store.world import Options
from tests.pipeline.cratejoy.conftest import Shop
from tests.pipeline.reconciliation.town import Town


@pytest.fixture
def served() -> Iterator[Shop]:
    with serving(Options("id", "secret", seed=7)) as running:
        yield Shop(running)


@pytest.fixture
def town(migrated_sqlite, tmp_path, served) -> Iterator[Town]:
    """A store that has just been connected; nobody lives there yet. On SQLite, where no test is about the database."""
    shutil.copy(migrated_sqlite, tmp_path / "town.db")
    engine = make_engine(f"sqlite:///{tmp_path / 'town.db'}")
    yield connected(Town(engine, served))
    engine.dispose()


@pytest.fixture
def any_town(engine, served) -> Town:
    """The same, once on SQLite and once on PostgreSQL."""
    return connected(Town(engine, served))


def connected(town: Town) -> Town:
    town.connect()
    town.compare()
    return town
