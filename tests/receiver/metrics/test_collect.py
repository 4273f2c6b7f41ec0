"""The gauges about backfills and reconciliation."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from pipeline.ledger.backfills import insert_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.observation import DAY_US, MISSED, RECEIVED, Observation
from pipeline.ledger.observed_events import save_observations
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.reconciliation import Reconciliation
from receiver.metrics.collect import GAUGES, collect_stores, load_store_states
from tests.pipeline.ledger.rows import NOW, add_store

SECOND = 1_000_000
READ = {"totals": {"subscriptions": 0, "orders": 0, "customers": 400}, "done": {"customers": 100}, "pages": 1}


def seen(engine, *, is_scheduled=True, at=NOW):
    with reading(engine) as conn:
        found = [*collect_stores(load_store_states(conn, at, is_scheduled=is_scheduled), at)]
    assert all(len(one.labels) == len(GAUGES[one.gauge][1]) for one in found)
    return {(one.gauge.removeprefix("cratewire_"), *one.labels): one.value for one in found}


@pytest.fixture
def store(engine):
    with writing(engine) as conn:
        return add_store(conn)


def backfill(engine, store, **changed):
    with writing(engine) as conn:
        made = insert_backfill(conn, store.id, "all", "customers", NOW - 60 * SECOND)
        conn.execute(update(Backfill).where(Backfill.id == made).values(next_step_at=NOW, **changed))


def compared(engine, store, **marks):
    with writing(engine) as conn:
        for name, mark in marks.items():
            row = {"store_id": store.id, "collection": name, "since": NOW - DAY_US, "next_at": NOW, "visited": []}
            conn.execute(insert(Reconciliation).values(**row, mark=mark or NOW - DAY_US, done_at=mark and NOW))


def test_a_backfill_says_how_far_it_is(engine, store):
    backfill(engine, store, **READ)

    assert seen(engine) == {
        ("backfill_state", store.name, "running"): 1,
        ("backfill_read_pages", store.name): 1,
        ("backfill_expected_pages", store.name): 4,
        ("backfill_rest_seconds", store.name): 0,
        ("backfill_overdue_seconds", store.name): 0,
    }


def test_a_backfill_that_no_worker_continues_is_overdue(engine, store):
    backfill(engine, store)

    assert seen(engine, at=NOW + 400 * SECOND)["backfill_overdue_seconds", store.name] == 400


def test_a_waiting_backfill_is_not_overdue(engine, store):
    backfill(engine, store)

    found = seen(engine, at=NOW - 30 * SECOND)
    assert (found["backfill_rest_seconds", store.name], found["backfill_overdue_seconds", store.name]) == (30, 0)


def test_a_paused_backfill_is_never_overdue(engine, store):
    backfill(engine, store, state="paused", paused_at=NOW)

    found = seen(engine, at=NOW + 400 * SECOND)
    assert found["backfill_state", store.name, "paused"] == 1
    assert ("backfill_overdue_seconds", store.name) not in found


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_an_ended_backfill_has_only_its_state(engine, store, state):
    backfill(engine, store, state=state, ended_at=NOW)

    assert seen(engine) == {("backfill_state", store.name, state): 1}


def test_only_the_newest_backfill_is_shown(engine, store):
    backfill(engine, store, state="failed", ended_at=NOW)
    backfill(engine, store, state="done", ended_at=NOW)

    assert seen(engine) == {("backfill_state", store.name, "done"): 1}


def test_the_collection_that_is_furthest_behind_is_the_age(engine, store):
    compared(engine, store, orders=NOW - 60 * SECOND, customers=NOW - 7200 * SECOND)

    assert seen(engine)["reconciliation_age_seconds", store.name] == 7200


def test_before_the_first_complete_pass_the_age_is_that_of_the_connection(engine, store):
    compared(engine, store, orders=NOW, customers=None)

    assert seen(engine)["reconciliation_age_seconds", store.name] == DAY_US / SECOND


def test_without_scheduled_reconciliation_there_is_no_age(engine, store):
    compared(engine, store, orders=NOW)

    assert ("reconciliation_age_seconds", store.name) not in seen(engine, is_scheduled=False)


def test_the_ratio_is_that_of_seven_days(engine, store):
    compared(engine, store, orders=NOW)
    today = NOW // DAY_US
    days = [(today, MISSED), (today, RECEIVED), (today - 6, RECEIVED), (today - 6, RECEIVED), (today - 7, MISSED)]
    sightings = [Observation(f"order_new:{n}", "order_new", day, state) for n, (day, state) in enumerate(days)]
    with writing(engine) as conn:
        save_observations(conn, store.id, sightings, NOW)

    assert seen(engine)["missed_hooks_ratio", store.name] == 0.25
