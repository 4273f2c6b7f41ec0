from __future__ import annotations

import fakeredis
import pytest
from sqlalchemy import Engine

from pipeline.ledger.engine import writing
from tests.pipeline.lanes.bench import Bench
from tests.pipeline.ledger.rows import add_connection, add_person, add_store


@pytest.fixture
def bench(engine: Engine) -> Bench:
    redis = fakeredis.FakeRedis(server=fakeredis.FakeServer())
    with writing(engine) as conn:
        store = add_store(conn)
        people = [add_person(conn, store.id, f"person-{number}@example.com") for number in range(3)]
        return Bench(engine, redis, add_connection(conn, store.id), people)
