"""The ledger on which pages are measured is a ledger: its counts are right, and every page answers."""

from __future__ import annotations

import re

import fakeredis
import pytest
from sqlalchemy import select

from bench.pages import measure
from bench.pages.fill import FAR, Size, fill_ledger
from pipeline.ledger.counts.recount import find_differences
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.schema import core

SIZE = Size(3, 60)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('filled')}/ledger.db"
    fill_ledger(url, fakeredis.FakeRedis(), SIZE)
    engine = make_engine(url)
    yield engine
    engine.dispose()


def test_every_store_has_its_events_and_the_counts_are_right(filled):
    with reading(filled) as conn:
        ids = conn.execute(select(core.Event.id, core.Event.store_id)).all()
        stores = {row.store_id for row in ids}

        assert (len(ids), len(stores)) == (SIZE.stores * SIZE.events_of_store, SIZE.stores)
        assert {row.id % FAR for row in ids} == set(range(SIZE.stores))
        assert find_differences(conn) == []


def test_every_address_that_is_measured_answers(filled):
    found = measure._time_addresses(filled, fakeredis.FakeRedis(), 0)

    shown = {re.sub(r"[?].*", "", address) for address, timing in found.items() if timing.status == 200}
    assert {address: timing.status for address, timing in found.items() if timing.status >= 500} == {}
    assert {"/", "/activity", "/flow", "/people", "/attention", "/api/v1/flow", "/api/v1/events"} <= shown


def test_a_value_is_either_packed_or_json_on_postgresql_too(empty_postgres):
    fill_ledger(empty_postgres, fakeredis.FakeRedis(), SIZE)
    engine = make_engine(empty_postgres)
    with reading(engine) as conn:
        stored = conn.exec_driver_sql("SELECT packed IS NULL, data::text = 'null' FROM events").all()
    engine.dispose()

    assert set(stored) == {(False, True)}
