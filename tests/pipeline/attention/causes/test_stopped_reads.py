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
def test_a_backfill_that_has_stopped_is_named(attention, changed, headline):
    if changed.get("ended_at"):
        changed = changed | {"ended_at": attention.clock}
    with writing(attention.engine) as conn:
        made = insert_backfill(conn, attention.store.id, "all", "counting", attention.clock)
        conn.execute(update(Backfill).where(Backfill.id == made).values({"next_step_at": attention.clock, **changed}))

    assert [one.headline for one in attention.list()] == ([headline] if headline else [])


def connect_api(attention):
    with writing(attention.engine) as conn:
        save_store_api(conn, attention.store.id, b"sealed", attention.clock)
        create_missing_reconciliations(conn, ["orders"], 0, attention.clock)


def found_of(attention, name):
    return [one for one in attention.list() if one.cause == name]


def test_a_reconciliation_that_has_not_come_to_its_end_for_hours_is_named(attention, monkeypatch):
    connect_api(attention)
    cause = stopped_reads.RECONCILIATION_CAUSE
    before = list(cause.find_items(attention.context))
    attention.clock += 4 * HOUR
    [item] = cause.find_items(attention.context)
    with writing(attention.engine) as conn:
        record_key_check(conn, attention.store.id, "refused (401)", attention.clock)

    assert (before, item.subject) == ([], "acme")
    assert list(cause.find_items(attention.context)) == []


def die(attention, reason="not_json"):
    row = {"store_id": attention.store.id, "store": "acme", "version": 1, "event": "order_new", "receipt": reason}
    row |= {"stage": "decode", "reason": reason, "detail": {}, "raw": b"", "received_at": attention.clock}
    with writing(attention.engine) as conn:
        conn.execute(insert(DeadHook).values(row | {"died_at": attention.clock}))


def compare(attention, *states):
    """The store's API has been searched, and has shown happenings in these states."""
    with writing(attention.engine) as conn:
        conn.execute(update(Reconciliation).values(done_at=attention.clock + 1))
        day = attention.clock // DAY_US
        sightings = [Observation(f"k{n}", "order_new", day, state) for n, state in enumerate(states)]
        if sightings:
            save_observations(conn, attention.store.id, sightings, attention.clock)


def dead(attention):
    return list(dead_hooks.CAUSE.find_items(attention.context))


def test_hooks_that_could_not_be_read_are_counted_by_reason(attention):
    die(attention)
    die(attention, "empty")

    [item] = dead(attention)
    assert item.headline == "acme: 2 hooks could not be read: empty (1), cut short or not JSON (1)"
    assert "not known yet" in item.effect


def test_a_mail_waits_until_the_stores_api_has_been_searched(attention):
    connect_api(attention)
    die(attention)
    [before] = dead(attention)
    compare(attention, DEAD)

    [after] = dead(attention)
    assert (before.is_final, after.is_final) == (False, True)
    assert "The store's API shows 1 event whose hook is among them." in after.effect


def test_hooks_that_could_not_be_read_need_nothing_if_nothing_is_missing(attention):
    connect_api(attention)
    die(attention)
    compare(attention)

    assert dead(attention) == []


@pytest.mark.on_both_databases
def test_hooks_that_died_of_our_own_fault_are_the_operators_at_once(attention):
    connect_api(attention)
    die(attention, "internal_error")
    compare(attention)

    assert [(one.audience, one.is_final) for one in dead(attention)] == [("operator", True)]


def test_a_chain_whose_heartbeats_stop_is_named(attention):
    with writing(attention.engine) as conn:
        conn.execute(insert(Heartbeat).values(name="chain", sent_at=attention.clock, arrived_at=attention.clock))
    before = attention.causes()
    attention.clock += 60_000_000
    attention.redis.set(redis_keys.HEARTBEAT_STARTED, attention.clock - 60_000_000)

    assert (before, attention.causes()) == ([], ["chain_dead"])
