"""Where the time of an event went."""

from __future__ import annotations

from typing import Any

from pipeline.ledger.queries import CallDetail, DeliveryDetail, EventDetail, EventSummary
from receiver.pages.activity.waterfall import Bar, build_waterfall

NOW = 1_000_000


def make_event(deliveries: tuple[DeliveryDetail, ...] = (), calls: tuple[CallDetail, ...] = ()) -> EventDetail:
    texts = dict.fromkeys(("store", "name", "outcome", "source", "ulid", "receipt"), "x")
    numbers = {"id": 1, "subject_id": 1, "duplicates": 0, "occurred_at": 0, "received_at": 100, "recorded_at": 160}
    summary = EventSummary(**texts, **numbers, subject="order", is_test=False)
    more: dict[str, Any] = {"notes": [], "unknown": [], "data": {}, "raw": None, "people": []}
    return EventDetail(
        summary,
        *("B", "order_new:1"),
        decoded_at=130,
        validated_at=140,
        deliveries=list(deliveries),
        calls=list(calls),
        **more,
    )


def make_delivery(done_at: int | None) -> DeliveryDetail:
    texts = {"platform": "customerio", "kind": "event", "name": "order_new", "message_id": None, "detail": None}
    numbers = {"id": 7, "event_id": 1, "person_id": 1, "connection_id": 1, "lane": 0, "attempts": 1}
    state = {"status": "sent" if done_at else "pending", "reason": None, "notes": [], "created_at": 160}
    return DeliveryDetail(**texts, **numbers, **state, done_at=done_at, message={})


def make_call(number: int, started_at: int, duration_us: int) -> CallDetail:
    return CallDetail(number, 1, "POST", "/batch", 200, 1, None, started_at, duration_us, (7,))


CHAIN = [
    Bar("in the inbox, and decoded", "waiting", 100, 130),
    Bar("validated", "work", 130, 140),
    Bar("recorded", "work", 140, 160),
]


def test_the_chain_has_a_bar_for_each_step():
    assert build_waterfall(make_event(), NOW).bars == CHAIN


def test_each_attempt_has_a_bar_and_so_has_the_waiting_before_it():
    calls = (make_call(1, 200, 50), make_call(2, 400, 20))

    waterfall = build_waterfall(make_event((make_delivery(420),), calls), NOW)

    assert waterfall.bars[3:] == [
        Bar("event 7 waits", "waiting", 160, 200),
        Bar("event 7, attempt 1", "work", 200, 250),
        Bar("event 7 waits", "waiting", 250, 400),
        Bar("event 7, attempt 2", "work", 400, 420),
    ]


def test_the_parts_add_up_to_the_whole():
    waterfall = build_waterfall(make_event((make_delivery(250),), (make_call(1, 200, 50),)), NOW)

    assert sum(bar.duration_us for bar in waterfall.bars) == waterfall.ended_at - waterfall.begun_at
    assert round(sum(waterfall.width(bar) for bar in waterfall.bars)) == 100
    assert waterfall.left(waterfall.bars[0]) == 0


def test_waiting_and_work_add_up_to_the_whole_although_messages_are_sent_at_once():
    calls = (make_call(1, 200, 50), make_call(2, 220, 60))

    waterfall = build_waterfall(make_event((make_delivery(280),), calls), NOW)

    assert (waterfall.working_us, waterfall.waiting_us) == (30 + 80, 180 - 110)
    assert waterfall.working_us + waterfall.waiting_us == waterfall.whole_us


def test_a_message_that_waits_lasts_until_now():
    assert build_waterfall(make_event((make_delivery(None),)), NOW).bars[-1] == Bar(
        "event 7 waits", "waiting", 160, NOW
    )


def test_an_event_that_took_no_time_has_bars_without_length():
    event = make_event()
    waterfall = build_waterfall(event, NOW)

    assert all(0 <= waterfall.width(bar) <= 100 for bar in waterfall.bars)
