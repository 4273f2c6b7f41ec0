"""A worker takes turns at the people who are sent to a later connection."""

from __future__ import annotations

from sqlalchemy import insert

from pipeline.ledger.connection_people import DONE, find_people, start_people
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.core import Delivery, StoreConnection
from tasks import people
from tests.installation import order_hook


def test_the_sweep_sends_the_people_of_every_connection_that_asks_for_them(installed):
    installed.connect({})
    installed.record(order_hook(1))
    with writing(installed.process.engine) as conn:
        row = {"id": 2, "store_id": 1, "platform": "segment", "label": "", "account": "s", "config": b"", "lanes": 1}
        conn.execute(insert(StoreConnection).values(**row, status="active", status_at=0, created_at=0))
        start_people(conn, 2, installed.process.now())

    people.sweep()

    with reading(installed.process.engine) as conn:
        assert find_people(conn, 2).state == DONE
    assert [one.kind for one in installed.rows(Delivery) if one.connection_id == 2] == ["profile"]
