"""When the daily pass begins, and when it does not."""

from __future__ import annotations

import pytest

from pipeline.backfill.schedule import DAY_US, start_backfill, start_due_backfills
from pipeline.ledger.backfills import advance_backfill, cancel_backfill, find_last_backfill, pause_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import record_key_check, save_store_api
from tests.builders import HOUR, NOW
from tests.pipeline.ledger.rows import add_store


@pytest.fixture
def store_id(engine):
    """A store all of whose customers were read at NOW."""
    with writing(engine) as conn:
        store = add_store(conn)
        save_store_api(conn, store.id, b"sealed", NOW)
    start_backfill(engine, store.id, "all", NOW)
    with writing(engine) as conn:
        advance_backfill(conn, find_last_backfill(conn, store.id), state="done", ended_at=NOW + HOUR)
    return store.id


def change(engine, function, *arguments):
    with writing(engine) as conn:
        function(conn, *arguments)


def test_it_begins_a_day_after_the_last_one_began_and_once(engine, store_id):
    began = [start_due_backfills(engine, at) for at in (NOW + DAY_US - 1, NOW + DAY_US, NOW + DAY_US + 1)]

    with reading(engine) as conn:
        assert (began, find_last_backfill(conn, store_id).kind) == ([[], [store_id], []], "incremental")


def test_a_cancelled_pass_is_begun_again_the_next_day(engine, store_id):
    start_due_backfills(engine, NOW + DAY_US)
    change(engine, cancel_backfill, store_id, NOW + DAY_US)

    assert start_due_backfills(engine, NOW + 2 * DAY_US) == [store_id]


def test_a_paused_pass_stays_paused(engine, store_id):
    start_due_backfills(engine, NOW + DAY_US)
    change(engine, pause_backfill, store_id, NOW + DAY_US)

    assert start_due_backfills(engine, NOW + 5 * DAY_US) == []


def test_refused_keys_are_left_alone(engine, store_id):
    change(engine, record_key_check, store_id, "401", NOW)

    assert start_due_backfills(engine, NOW + DAY_US) == []


def test_a_store_whose_first_backfill_was_cancelled_is_not_read_daily(engine):
    with writing(engine) as conn:
        store = add_store(conn)
        save_store_api(conn, store.id, b"sealed", NOW)
    start_backfill(engine, store.id, "all", NOW)
    change(engine, cancel_backfill, store.id, NOW)

    assert start_due_backfills(engine, NOW + 2 * DAY_US) == []
