"""The flow of a span: its ends, its parts, its stores. What becomes of hooks is in `test_flow_histories`."""

from __future__ import annotations

from pipeline.ledger.counts.changes import add_changes
from pipeline.ledger.counts.fold import fold_changes, raise_mark
from pipeline.ledger.counts.keys import HOUR_US, CountKey
from pipeline.ledger.engine import writing
from pipeline.ledger.queries import FlowCounts, load_flow
from tests.pipeline.ledger.rows import add_deliveries, add_event

DAY_US = 24 * HOUR_US
DAY = 20_000
HOUR = DAY * 24


def add(conn, store_id, hour, number=1, outcome="forwarded"):
    add_changes(conn, {CountKey(store_id, hour, "order_new", outcome): number})


def test_a_span_is_widened_to_whole_hours_and_ends_before_its_end(shop):
    with writing(shop.engine) as conn:
        for hour in range(HOUR, HOUR + 4):
            add(conn, shop.store.id, hour)

        flow = load_flow(conn, [shop.store.id], HOUR * HOUR_US + 1, (HOUR + 2) * HOUR_US + 1, "hour")

    assert (flow.since, flow.until, flow.total) == (HOUR * HOUR_US, (HOUR + 3) * HOUR_US, FlowCounts(sent=3))
    assert [part.since // HOUR_US for part in flow.parts] == [HOUR, HOUR + 1, HOUR + 2]


def test_days_are_added_to_the_hours_at_both_ends(shop):
    with writing(shop.engine) as conn:
        for hour in (HOUR - 2, HOUR - 1, HOUR + 5, HOUR + 24, HOUR + 48, HOUR + 50):
            add(conn, shop.store.id, hour)
        fold_changes(conn)
        add(conn, shop.store.id, HOUR + 6)

        flow = load_flow(conn, [shop.store.id], (HOUR - 1) * HOUR_US, (HOUR + 49) * HOUR_US, "day")

    numbers = [(part.since, part.until, part.counts.sent) for part in flow.parts]
    assert numbers == [
        (HOUR * HOUR_US - HOUR_US, DAY * DAY_US, 1),
        (DAY * DAY_US, (DAY + 1) * DAY_US, 2),
        ((DAY + 1) * DAY_US, (DAY + 2) * DAY_US, 1),
        ((DAY + 2) * DAY_US, (DAY + 2) * DAY_US + HOUR_US, 1),
    ]


def test_where_hours_are_no_longer_kept_the_span_is_of_whole_days(shop):
    with writing(shop.engine) as conn:
        add(conn, shop.store.id, HOUR + 1, 3)
        fold_changes(conn)
        raise_mark(conn, "hours", HOUR + 10)

        flow = load_flow(conn, [shop.store.id], (HOUR + 5) * HOUR_US, (HOUR + 6) * HOUR_US, "hour")

    assert (flow.since, flow.until, flow.step) == (DAY * DAY_US, (DAY + 1) * DAY_US, "day")
    assert flow.total == FlowCounts(sent=3)


def test_each_store_has_its_own_flow_and_all_have_one_together(shop):
    with writing(shop.engine) as conn:
        add(conn, shop.store.id, HOUR)
        add(conn, shop.store.id + 1, HOUR)
        add(conn, 0, HOUR, outcome="dead")

        one, both, everything = (
            load_flow(conn, stores, HOUR * HOUR_US, (HOUR + 1) * HOUR_US, "hour").total
            for stores in ([shop.store.id], [shop.store.id, shop.store.id + 1], None)
        )

    assert (one, both, everything) == (FlowCounts(sent=1), FlowCounts(sent=2), FlowCounts(sent=2, unreadable=1))


def test_an_event_with_several_messages_is_where_the_worst_of_them_is(shop):
    states = (["sent", "dead", "pending"], ["sent", "pending"], ["sent", "withheld"], ["withheld", "stopped"])
    with writing(shop.engine) as conn:
        for number, of_event in enumerate(states):
            event_id = add_event(conn, shop.store.id, number, received_at=HOUR * HOUR_US)
            for status in of_event:
                done_at = None if status == "pending" else 1
                add_deliveries(conn, shop.link, shop.person_id, event_id=event_id, status=status, done_at=done_at)
        add(conn, shop.store.id, HOUR, 4)

        flow = load_flow(conn, None, HOUR * HOUR_US, (HOUR + 1) * HOUR_US, "hour")

    assert flow.total == FlowCounts(refused=1, waiting=1, sent=1, withheld=1)
