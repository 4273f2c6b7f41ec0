"""A shop on both databases, and one on SQLite only, for what does not depend on the database."""

from __future__ import annotations

import shutil

import fakeredis
import pytest

from pipeline.ledger.engine import make_engine
from tests.pipeline.operations.retention_shop import Shop, sell_and_send
from tests.pipeline.recording.conftest import HookRecorder


@pytest.fixture
def shop(engine):
    return Shop(HookRecorder(engine), fakeredis.FakeRedis())


@pytest.fixture
def sold(shop):
    """A shop in which one order was recorded and sent."""
    return sell_and_send(shop)


@pytest.fixture
def quick(tmp_path, migrated_sqlite):
    """A shop on SQLite only, for what does not depend on the database."""
    shutil.copy(migrated_sqlite, tmp_path / "quick.db")
    engine = make_engine(f"sqlite:///{tmp_path}/quick.db")
    yield Shop(HookRecorder(engine), fakeredis.FakeRedis())
    engine.dispose()
