"""Backfills and reconciliations that have stopped, hooks that could not be read, and a chain that is dead."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from pipeline.attention.causes import dead_hooks, stopped_reads
from pipeline.infra import redis_keys
from pipeline.ledger.backfills import insert_backfill
from pipeline.ledger.engine import writing
from pipeline.ledger.observation import DAY_US, DEAD, Observation
from pipeline.ledger.observed_events import save_observations
from pipeline.ledger.reconciliations import create_missing_reconciliations
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.core import DeadHook
from pipeline.ledger.schema.monitoring import Heartbeat
from pipeline.ledger.schema.reconciliation import Reconciliation
from pipeline.ledger.store_apis import record_key_check, save_store_api

HOUR = 3_600_000_000


@pytest.mark.on_both_databases
@pytest.mark.parametrize(
    ("changed", "headline"),
    [
        ({}, None),
        ({"state": "failed", "ended_at": 1, "error": "answered 400"}, "acme: reading its customers was given up"),
        ({"state": "done", "ended_at": 1, "error": "cut"}, "acme: not all of its customers were read"),
        ({"state": "done", "ended_at": 1}, None),
        ({"next_step_at": 0}, "acme: the reading of its customers stands still"),
    ],
)
def test_a_backfill_that_has_stopped_is_named(desk, changed, headline):
    if changed.get("ended_at"):
        changed = changed | {"ended_at": desk.clock}
    with writing(desk.engine) as conn:
        made = insert_backfill(conn, desk.store.id, "all", "counting", desk.clock)
        conn.execute(update(Backfill).where(Backfill.id == made).values({"next_step_at": desk.clock, **changed}))

    assert [one.headline for one in desk.list()] == ([headline] if headline else [])


def connect_api(desk):
    with writing(desk.engine) as conn:
        save_store_api(conn, desk.store.id, b"sealed", desk.clock)
        create_missing_reconciliations(conn, ["orders"], 0, desk.clock)


def found_of(desk, name):
    return [one for one in desk.list() if one.cause == name]


def test_a_reconciliation_that_has_not_come_to_its_end_for_hours_is_named(desk, monkeypatch):
    connect_api(desk)
    cause = stopped_reads.RECONCILIATION_CAUSE
    before = list(cause.find_items(desk.context))
    desk.clock += 4 * HOUR
    [item] = cause.find_items(desk.context)
    with writing(desk.engine) as conn:
        record_key_check(conn, desk.store.id, "refused (401)", desk.clock)

    assert (before, item.subject) == ([], "acme")
    assert list(cause.find_items(desk.context)) == []


def die(desk, reason="not_json"):
    row = {"store_id": desk.store.id, "store": "acme", "version": 1, "event": "order_new", "receipt": reason}
    row |= {"stage": "decode", "reason": reason, "detail": {}, "raw": b"", "received_at": desk.clock}
    with writing(desk.engine) as conn:
        conn.execute(insert(DeadHook).values(row | {"died_at": desk.clock}))


def compare(desk, *states):
    """The store's API has been searched, and has shown happenings in these states."""
    with writing(desk.engine) as conn:
        conn.execute(update(Reconciliation).values(done_at=desk.clock + 1))
        sightings = [Observation(f"k{n}", "order_new", desk.clock // DAY_US, state) for n, state in enumerate(states)]
        if sightings:
            save_observations(conn, desk.store.id, sightings, desk.clock)


def dead(desk):
    return list(dead_hooks.CAUSE.find_items(desk.context))


def test_hooks_that_could_not_be_read_are_counted_by_reason(desk):
    die(desk)
    die(desk, "empty")

    [item] = dead(desk)
    assert item.headline == "acme: 2 hooks could not be read: empty (1), cut short or not JSON (1)"
    assert "not known yet" in item.effect


def test_a_mail_waits_until_the_stores_api_has_been_searched(desk):
    connect_api(desk)
    die(desk)
    [before] = dead(desk)
    compare(desk, DEAD)

    [after] = dead(desk)
    assert (before.is_final, after.is_final) == (False, True)
    assert "The store's API shows 1 event whose hook is among them." in after.effect


def test_hooks_that_could_not_be_read_need_nothing_if_nothing_is_missing(desk):
    connect_api(desk)
    die(desk)
    compare(desk)

    assert dead(desk) == []


@pytest.mark.on_both_databases
def test_hooks_that_died_of_our_own_fault_are_the_operators_at_once(desk):
    connect_api(desk)
    die(desk, "internal_error")
    compare(desk)

    assert [(one.audience, one.is_final) for one in dead(desk)] == [("operator", True)]


def test_a_chain_whose_heartbeats_stop_is_named(desk):
    with writing(desk.engine) as conn:
        conn.execute(insert(Heartbeat).values(name="chain", sent_at=desk.clock, arrived_at=desk.clock))
    before = desk.causes()
    desk.clock += 60_000_000
    desk.redis.set(redis_keys.HEARTBEAT_STARTED, desk.clock - 60_000_000)

    assert (before, desk.causes()) == ([], ["chain_dead"])
