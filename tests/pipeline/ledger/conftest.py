"""One store with one connection and one person, on both databases."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import Engine

from pipeline.ledger.connections import ConnectionRow
from pipeline.ledger.engine import writing
from pipeline.ledger.stores import StoreRow
from tests.pipeline.ledger.rows import add_connection, add_person, add_store
from tests.pipeline.recording.conftest import recorder

__all__ = ["StoreSetup", "recorder", "shop"]


@dataclass(frozen=True, slots=True)
class StoreSetup:
    engine: Engine
    store: StoreRow
    link: ConnectionRow
    person_id: int


@pytest.fixture
def shop(engine: Engine) -> StoreSetup:
    with writing(engine) as conn:
        store = add_store(conn)
        return StoreSetup(engine, store, add_connection(conn, store.id), add_person(conn, store.id))
