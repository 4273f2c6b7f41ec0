"""What is watched in the ledger: the keys of new bodies, the rates of each hour; and what becomes of a change."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from itertools import count

import pytest
from sqlalchemy import delete, insert, update

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring import data_changes
from pipeline.ledger.monitoring.data_changes import list_open_changes, load_bodies, take_as_usual
from pipeline.ledger.schema.core import Body, Event
from pipeline.ledger.schema.monitoring import EventKeys, HourlyActivity
from pipeline.monitoring import data_watch
from pipeline.monitoring.data_watch import BODIES_SLICE, CHECK_TIMEOUT_US, SHOWN_US, watch_keys, watch_rates
from pipeline.monitoring.key_changes import LEARNING_US
from tests.pipeline.monitoring.hook_histories import BEGIN, DAY, every_day, hour_us

SECONDS_US = 1_000_000


@pytest.fixture
def shop(shops):
    """A store that has sent sixty orders over forty days, all of one form."""
    shops.clock = hour_us(40 * DAY)
    shops.store(events=())
    came(shops, *({"id": number, "total": 10} for number in range(60)), begin=hour_us(0), every=LEARNING_US // 50)
    watch_keys(shops.context)
    return shops


def came(shops, *bodies, begin=None, every=SECONDS_US, form="B", unknown=()):
    """Hooks that became events, so many µs apart."""
    with writing(shops.engine) as conn:
        for number, body in enumerate(bodies):
            at = (shops.clock if begin is None else begin) + number * every
            texts = {"name": "order_new", "happening": f"{at}", "ulid": f"{at}", "receipt": f"{at}", "source": "hook"}
            times = dict.fromkeys(("occurred_at", "received_at", "decoded_at", "validated_at", "recorded_at"), at)
            values = {"form": form, "is_test": False, "outcome": "forwarded", "notes": [], "data": {}, "duplicates": 0}
            row = {"store_id": shops.stores["acme"], "unknown": list(unknown), **texts, **times, **values}
            event_id = conn.execute(insert(Event).values(row).returning(Event.id)).scalar_one()
            conn.execute(insert(Body).values(event_id=event_id, raw=zlib.compress(json.dumps(body).encode())))


def open_changes(shops):
    with reading(shops.engine) as conn:
        return [(row.kind, row.key, row.was, row.now) for row in list_open_changes(conn)]


def test_a_new_key_is_a_change_with_its_event_for_a_week(shop):
    came(shop, {"id": 61, "total": 10, "gift_wrap": True}, unknown=["gift_wrap"])
    watch_keys(shop.context)
    with reading(shop.engine) as conn:
        [row] = list_open_changes(conn)
    shop.clock += SHOWN_US + 1
    came(shop, {"id": 62, "total": 10, "gift_wrap": True}, unknown=["gift_wrap"])
    watch_keys(shop.context)

    assert (row.kind, row.key, row.event_id) == ("new_key", "gift_wrap", 61)
    assert open_changes(shop) == []


@pytest.mark.on_both_databases
def test_a_vanished_key_is_over_when_it_comes_again(shop):
    came(shop, *({"id": number} for number in range(8)))
    watch_keys(shop.context)
    before = open_changes(shop)
    came(shop, {"id": 9, "total": 10}, begin=shop.clock + 60 * SECONDS_US)
    watch_keys(shop.context)

    assert (before, open_changes(shop)) == ([("vanished_key", "total", "number", "")], [])


@pytest.mark.on_both_databases
def test_a_form_whose_values_are_all_text_says_nothing_of_types(shop):
    came(shop, {"id": "61", "total": "10"}, form="form")
    watch_keys(shop.context)

    assert open_changes(shop) == []


@pytest.mark.on_both_databases
def test_nothing_is_read_twice(shop):
    with writing(shop.engine) as conn:
        conn.execute(delete(EventKeys))
    watch_keys(shop.context)

    with reading(shop.engine) as conn:
        assert conn.execute(EventKeys.__table__.select()).all() == []


def test_a_body_that_cannot_be_unpacked_keeps_none_from_what_comes_after_it(shop):
    came(shop, {"id": 61})
    with writing(shop.engine) as conn:
        conn.execute(update(Body).where(Body.event_id == 61).values(raw=b"cut short"))
    shop.clock += SECONDS_US
    came(shop, {"id": 62, "total": 10, "gift_wrap": True}, unknown=["gift_wrap"])
    watch_keys(shop.context)

    assert open_changes(shop) == [("new_key", "gift_wrap", "", "bool")]


def test_bodies_are_read_some_at_a_time_and_the_rest_after_the_next_sweep(shop, monkeypatch):
    asked = []
    monkeypatch.setattr(data_changes, "load_bodies", lambda *given: asked.append(given[-1]) or load_bodies(*given))
    came(shop, *({"id": number, "total": 10} for number in range(3 * BODIES_SLICE)))
    ticks = count(shop.clock, CHECK_TIMEOUT_US // 2)
    watch_keys(replace(shop.context, now=lambda: next(ticks)))
    before = len(asked)
    watch_keys(shop.context)

    assert (before, set(asked)) == (1, {BODIES_SLICE})
    assert len(asked) >= 3


def test_a_fault_in_watching_stops_no_notice_and_no_sweep(shop, monkeypatch):
    shop.owner("bea@example.com")
    for watch in ("watch_keys", "watch_rates"):
        monkeypatch.setattr(data_watch, watch, fail)
    shop.received("acme", *every_day(range(9, 18), 40))
    shop.sweep()
    shop.sweep(hours=2 * DAY)

    assert [notice["type"] for notice in shop.sent_now()] == ["alarms.opened"]


def fail(_):
    raise ValueError


@pytest.fixture
def halved(shops):
    """A store with two orders in each hour for sixty days, and one in each of the last five."""
    shops.clock = hour_us(65 * DAY)
    store_id = shops.store(events=())
    of_event = {"store_id": store_id, "event": "order_new"}
    rows = [
        {
            "hour": BEGIN + hour,
            "hooks": 2 if hour < 60 * DAY else 1,
            "first_at": hour_us(hour),
            "last_at": hour_us(hour),
        }
        for hour, at in ((hour, hour_us(hour)) for hour in range(65 * DAY + 2))
    ]
    with writing(shops.engine) as conn:
        conn.execute(insert(HourlyActivity), [{**of_event, **row} for row in rows])
    return shops


def test_a_fall_to_half_is_a_change_until_the_rate_is_as_it_was(halved):
    watch_rates(halved.context)
    before = open_changes(halved)
    halved.clock += 3_600_000_000
    with writing(halved.engine) as conn:
        conn.execute(update(HourlyActivity).values(hooks=2))
    watch_rates(halved.context)

    assert [(kind, key) for kind, key, _, _ in before] == [("rate_drop", "")]
    assert open_changes(halved) == []


@pytest.mark.on_both_databases
def test_a_rate_that_is_taken_as_usual_is_learned_anew(halved):
    watch_rates(halved.context)
    with writing(halved.engine) as conn:
        take_as_usual(conn, halved.stores["acme"], "order_new", halved.clock)
    halved.clock += 3_600_000_000
    watch_rates(halved.context)

    assert open_changes(halved) == []


@pytest.mark.on_both_databases
def test_a_store_is_checked_once_an_hour(halved):
    watch_rates(halved.context)
    with writing(halved.engine) as conn:
        conn.execute(update(HourlyActivity).values(hooks=2))
    watch_rates(halved.context)

    assert [kind for kind, *_ in open_changes(halved)] == ["rate_drop"]
