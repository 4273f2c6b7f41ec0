"""How long events take is counted in steps; percentiles are the ends of steps."""

from __future__ import annotations

import pytest

from pipeline.ledger.counts.arrivals import count_arrivals, find_percentile
from pipeline.ledger.counts.keys import ARRIVAL_STEPS_S, ARRIVALS, HOUR_US
from pipeline.ledger.engine import writing
from pipeline.ledger.queries import ArrivalTimes, load_arrival_times
from tests.pipeline.ledger.rows import NOW, add_deliveries, add_event, delivery

DAY_US = 86_400_000_000


def add_message(conn, shop, number, event=None, message=None):
    """A message that has arrived, of an event of its own."""
    event_id = add_event(conn, shop.store.id, number, **{"received_at": NOW, **(event or {})})
    sent = {"event_id": event_id, "status": "sent", "done_at": NOW + 9 * DAY_US, **(message or {})}
    return add_deliveries(conn, shop.link, shop.person_id, **sent)[0]


def count(conn, shop):
    times = load_arrival_times(conn, [shop.store.id], 0).get(shop.store.id)
    return 0 if times is None else times.arrivals


@pytest.mark.parametrize(("share", "expected"), [(0.5, 0.4), (0.89, 0.4), (0.95, 10.0), (1.0, 10.0)])
def test_a_percentile_is_the_end_of_its_step(share, expected):
    counts = {ARRIVALS[ARRIVAL_STEPS_S.index(0.4)]: 9, ARRIVALS[ARRIVAL_STEPS_S.index(10.0)]: 1}

    assert find_percentile(counts, share) == expected


def test_nothing_that_arrived_has_no_percentile():
    assert find_percentile({"forwarded": 3}, 0.5) is None


def test_arrivals_count_from_the_hook_to_the_platform(shop):
    with writing(shop.engine) as conn:
        ids = [add_message(conn, shop, number) for number in range(3)]
        count_arrivals(conn, ids[:2], NOW + 350_000)
        count_arrivals(conn, ids[2:], NOW + 9 * DAY_US)

        found = load_arrival_times(conn, [shop.store.id], NOW // HOUR_US)

    assert found == {shop.store.id: ArrivalTimes(3, 0.4, ARRIVAL_STEPS_S[-1])}


def test_messages_of_one_event_that_arrive_together_count_once(shop):
    with writing(shop.engine) as conn:
        first = add_message(conn, shop, 1)
        event_id = delivery(conn, first).event_id
        copies = add_deliveries(conn, shop.link, shop.person_id, event_id=event_id, status="sent", done_at=NOW + 1)
        count_arrivals(conn, [first, *copies], NOW + 1)

        assert count(conn, shop) == 1


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, {"replayed_at": NOW + 5}),
        ({"source": "replay"}, {}),
        ({}, {"created_at": NOW + DAY_US}),  # written once consent was given
    ],
)
def test_what_was_sent_again_or_written_later_is_no_arrival(shop, event, message):
    with writing(shop.engine) as conn:
        count_arrivals(conn, [add_message(conn, shop, 1, event, message)], NOW + 9 * DAY_US)

        assert count(conn, shop) == 0


def test_an_event_that_arrives_at_a_second_platform_later_is_not_counted_again(shop):
    with writing(shop.engine) as conn:
        first = add_message(conn, shop, 1, message={"done_at": NOW + 350_000})
        event_id = delivery(conn, first).event_id
        [second] = add_deliveries(conn, shop.link, shop.person_id, event_id=event_id)
        count_arrivals(conn, [first], NOW + 350_000)
        count_arrivals(conn, [second], NOW + 9 * DAY_US)

        assert load_arrival_times(conn, [shop.store.id], 0) == {shop.store.id: ArrivalTimes(1, 0.4, 0.4)}
