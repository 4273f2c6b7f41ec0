"""Counts of events and deliveries."""

from __future__ import annotations

import pytest

from pipeline.core.messages import Rejected, Sent
from pipeline.ledger.counts.changes import add_changes
from pipeline.ledger.counts.fold import fold_changes
from pipeline.ledger.counts.keys import NO_NAME, CountKey
from pipeline.ledger.deliveries import acquire_lane, claim, clear_lane, pause_connection, postpone_lane, settle
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import EventCounts, count_by_connection, count_events
from pipeline.ledger.queries.counts import count_events_by_store
from tests.pipeline.ledger.rows import NOW, add_connection, add_deliveries, add_store


def test_a_connection_without_deliveries_counts_nothing(shop):
    with reading(shop.engine) as conn:
        (counts,) = count_by_connection(conn, NOW)

    numbers = (counts.pending, counts.sending, counts.sent, counts.dead, counts.oldest_pending_at, counts.lanes_waiting)
    assert numbers == (0, 0, 0, 0, None, 0)


def test_deliveries_are_counted_by_status(shop):
    with writing(shop.engine) as conn:
        ids = add_deliveries(conn, shop.link, shop.person_id, 8)
        taken = acquire_lane(conn, shop.link.id, 0, NOW)
        claim(conn, taken, 5)
        settle(conn, taken, [(id_, Sent()) for id_ in ids[:3]] + [(ids[3], Rejected("bad"))], [], NOW)
        claim(conn, taken, 1)
        (counts,) = count_by_connection(conn, NOW)

    assert (counts.pending, counts.sending, counts.sent, counts.dead) == (3, 1, 3, 1)


def test_the_oldest_pending_delivery_has_its_time(shop):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id, 3)
        (counts,) = count_by_connection(conn, NOW)

    assert counts.oldest_pending_at == NOW


@pytest.mark.parametrize("begun", [1, 3])
def test_a_delivery_being_sent_counts_as_the_oldest(shop, begun):
    """A platform that hangs has its messages in flight nearly all the time."""
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id, 3)
        claim(conn, acquire_lane(conn, shop.link.id, 0, NOW), begun)
        (counts,) = count_by_connection(conn, NOW)

    assert counts.oldest_pending_at == NOW


def test_connections_are_counted_separately(shop):
    with writing(shop.engine) as conn:
        other = add_connection(conn, add_store(conn, "moon-box").id)
        add_deliveries(conn, other, shop.person_id, 2)

        assert [(row.store, row.pending) for row in count_by_connection(conn, NOW)] == [
            ("sunny-box", 0),
            ("moon-box", 2),
        ]


def test_a_connection_has_the_next_attempt_and_reason_of_its_first_lane(shop):
    with writing(shop.engine) as conn:
        for lane, wait in ((0, 30), (1, 10), (2, -10)):
            postpone_lane(conn, acquire_lane(conn, shop.link.id, lane, NOW), NOW + wait, 1, f"reason {lane}")
        (counts,) = count_by_connection(conn, NOW)

    assert (counts.lanes_waiting, counts.next_attempt_at, counts.waiting_reason) == (2, NOW + 10, "reason 1")


def test_the_last_reason_stays_during_the_next_attempt(shop):
    with writing(shop.engine) as conn:
        postpone_lane(conn, acquire_lane(conn, shop.link.id, 0, NOW), NOW - 1, 1, "timeout while reading")
        (counts,) = count_by_connection(conn, NOW)

    assert (counts.lanes_waiting, counts.next_attempt_at, counts.waiting_reason) == (0, None, "timeout while reading")


def test_the_reason_is_cleared_by_a_success(shop):
    with writing(shop.engine) as conn:
        taken = acquire_lane(conn, shop.link.id, 0, NOW)
        postpone_lane(conn, taken, NOW - 1, 1, "timeout while reading")
        clear_lane(conn, taken)
        (counts,) = count_by_connection(conn, NOW)

    assert counts.waiting_reason is None


def test_a_paused_connection_has_no_waiting_lanes(shop):
    with writing(shop.engine) as conn:
        postpone_lane(conn, acquire_lane(conn, shop.link.id, 0, NOW), NOW - 1, 1, "answered 503")
        pause_connection(conn, shop.link.id, "http_401", NOW)
        (counts,) = count_by_connection(conn, NOW)

    assert counts.waiting_reason is None


def test_a_paused_connection_has_its_reason(shop):
    with writing(shop.engine) as conn:
        pause_connection(conn, shop.link.id, "http_401", NOW)
        (counts,) = count_by_connection(conn, NOW)

    assert (counts.status, counts.status_reason) == ("paused", "http_401")


def test_events_are_counted_by_name_and_by_outcome(shop):
    with writing(shop.engine) as conn:
        other = add_store(conn, "moon-box").id
        kept = {
            (shop.store.id, "order_new", "forwarded"): 1,
            (shop.store.id, "order_new", "nobody"): 1,
            (shop.store.id, "order_new", "duplicate"): 3,
            (shop.store.id, "x", "dead"): 1,
            (other, "customer_new", "forwarded"): 1,
            (other, "customer_new", "duplicate"): 4,
        }
        add_changes(conn, {CountKey(of, 7, name, outcome): number for (of, name, outcome), number in kept.items()})
        add_changes(conn, {CountKey(other, 7, NO_NAME, "recovered"): 1, CountKey(other, 7, "x", "test"): 1})
        fold_changes(conn)
        add_changes(conn, {CountKey(other, 7, "x", "test"): -1})

        found = count_events(conn), count_events_by_store(conn, [shop.store.id, other, 77])

    all_stores = EventCounts({"customer_new": 1, "order_new": 2}, {"forwarded": 2, "nobody": 1}, 1, 7)
    mine = EventCounts({"order_new": 2}, {"forwarded": 1, "nobody": 1}, 1, 3)
    others = EventCounts({"customer_new": 1}, {"forwarded": 1}, 0, 4)
    assert found == (all_stores, {shop.store.id: mine, other: others, 77: EventCounts({}, {}, 0, 0)})
