from __future__ import annotations

import fakeredis
import pytest
from sqlalchemy import Engine

from pipeline.ledger.engine import writing
from tests.pipeline.delivery.lane_setup import LaneSetup
from tests.pipeline.ledger.rows import add_connection, add_person, add_store


@pytest.fixture
def lane_setup(engine: Engine) -> LaneSetup:
    redis = fakeredis.FakeRedis(server=fakeredis.FakeServer())
    with writing(engine) as conn:
        store = add_store(conn)
        people = [add_person(conn, store.id, f"person-{number}@example.com") for number in range(3)]
        return LaneSetup(engine, redis, add_connection(conn, store.id), people)
