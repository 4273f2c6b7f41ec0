"""How each store is doing."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from pipeline.ledger.backfills import ALL, insert_backfill
from pipeline.ledger.engine import writing
from pipeline.ledger.monitoring.alarms import open_alarm
from pipeline.ledger.monitoring.rows import ENDPOINT, NewAlarm
from pipeline.ledger.queries.standings import WAITING_LONG_US, load_standings
from pipeline.ledger.queries.store_figures import load_store_figures
from pipeline.ledger.schema import backfills, core
from pipeline.ledger.schema.retention import PastCount
from tests.pipeline.ledger.rows import NOW, add_deliveries, add_event

LATER = NOW + WAITING_LONG_US + 1_000


def state_of(shop, at=LATER, *steps):
    with writing(shop.engine) as conn:
        for step in steps:
            step(conn)
        return load_standings(conn, [shop.link.store_id], at)[shop.link.store_id].state


def event(shop):
    return lambda conn: add_event(conn, shop.link.store_id)


def message(shop):
    return lambda conn: add_deliveries(conn, shop.link, shop.person_id)


def alarm(shop, kind="messages_refused"):
    store_id = None if kind == ENDPOINT else shop.link.store_id
    return lambda conn: open_alarm(conn, NewAlarm(kind, store_id, subject="here"), NOW)


def pause(_shop):
    return lambda conn: conn.execute(update(core.StoreConnection).values(status="paused", status_reason="by hand"))


def read(shop, **more):
    def step(conn):
        insert_backfill(conn, shop.link.store_id, ALL, "customers", NOW)
        conn.execute(update(backfills.Backfill).values(**{"state": "running", **more}))

    return step


def test_a_store_without_events_has_not_started(shop):
    assert state_of(shop) == "not_started"


def test_a_store_with_events_works(shop):
    assert state_of(shop, LATER, event(shop)) == "working"


def forget(outcome):
    """What retention leaves of a store's only event."""
    row = {"name": "order_new", "outcome": outcome, "number": 1, "duplicates": 0}
    return lambda conn: conn.execute(insert(PastCount).values(store_id=1, **row))


@pytest.mark.parametrize(
    ("outcome", "state"), [("forwarded", "working"), ("test", "not_started"), ("dead", "not_started")]
)
def test_a_store_whose_events_are_no_longer_kept_works(shop, outcome, state):
    assert state_of(shop, LATER, forget(outcome)) == state


def test_a_message_that_has_just_been_written_is_not_late(shop):
    assert state_of(shop, NOW + 1_000, event(shop), message(shop)) == "working"


@pytest.mark.parametrize("what", [message, read])
def test_what_goes_on_by_itself_is_catching_up(shop, what):
    assert state_of(shop, LATER, event(shop), what(shop)) == "catching_up"


def fail_to_read(shop):
    return read(shop, state="failed")


def lose_the_endpoint(shop):
    return alarm(shop, ENDPOINT)


@pytest.mark.parametrize("what", [alarm, pause, fail_to_read, lose_the_endpoint])
def test_what_waits_for_a_person_counts_before_all_else(shop, what):
    assert state_of(shop, LATER, event(shop), message(shop), what(shop)) == "needs_you"


def test_figures_of_a_store_that_waits(shop):
    with writing(shop.engine) as conn:
        add_event(conn, shop.link.store_id)
        add_deliveries(conn, shop.link, shop.person_id, 3)
        add_deliveries(conn, shop.link, shop.person_id, status="dead", done_at=NOW)
        found = load_store_figures(conn, [shop.link.store_id], LATER)[shop.link.store_id]

    assert (found.waiting, found.oldest_waiting_at, found.refused) == (3, NOW, 1)
    assert found.last_event_at == NOW + 1
    assert len(found.events_by_hour) == 48
