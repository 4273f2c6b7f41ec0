"""Alarms about silences: opened when hooks stop, ended when they come again, and never a storm of them."""

from __future__ import annotations

import pytest

from pipeline.cratejoy.credentials import Credentials
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.activity import collect_activity, load_active_hours
from pipeline.ledger.monitoring.expectations import load_expectations
from pipeline.ledger.monitoring.rows import HOUR_US
from pipeline.ledger.store_apis import save_store_api, set_hook_registration
from tests.pipeline.ledger.rows import add_event
from tests.pipeline.monitoring.conftest import KEYS
from tests.pipeline.monitoring.hook_histories import BEGIN, DAY, hour_us

EVENTS = ("order_new", "customer_new", "shipment_shipped")


@pytest.mark.on_both_databases
def test_only_hooks_are_counted_and_each_of_them_once(shops):
    store = shops.store(events=())
    with writing(shops.engine) as conn:
        add_event(conn, store, 1, received_at=hour_us(3.2))
        add_event(conn, store, 2, received_at=hour_us(3.7))
        add_event(conn, store, 3, received_at=hour_us(9.5), source="reconcile")
        add_event(conn, store, 4, received_at=hour_us(9.6), name="an_invented_event")
    for _ in range(2):
        with writing(shops.engine) as conn:
            collect_activity(conn)
    with writing(shops.engine) as conn:
        add_event(conn, store, 5, received_at=hour_us(3.9))
        add_event(conn, store, 6, received_at=hour_us(3.1))  # from a spool
        collect_activity(conn)

    with reading(shops.engine) as conn:
        [active] = load_active_hours(conn, store, 0)["order_new"]
    assert (active.hour, active.first_at, active.last_at) == (
        BEGIN + 3,
        hour_us(3.1),
        hour_us(3.9),
    )


def test_in_the_evening_no_one_is_alarmed(shops):
    shops.store()
    shops.sweep()

    assert shops.open() == []


def test_hooks_that_do_not_come_the_next_day_are_an_alarm(shops):
    shops.store()
    shops.sweep()
    shops.sweep(hours=DAY)

    [alarm] = shops.alarms()
    assert (alarm.store, alarm.event, alarm.last_at) == ("acme", "", hour_us(29 * DAY + 17.5))
    assert alarm.expected_us is not None
    assert 15 * HOUR_US < alarm.expected_us < 24 * HOUR_US


def test_all_events_that_stop_together_are_one_alarm(shops):
    shops.store(events=EVENTS)
    shops.sweep()
    for _ in range(3):
        shops.sweep(hours=DAY)

    assert shops.open() == [("acme", "")]


def test_one_event_that_stops_is_an_alarm_of_its_own(shops):
    shops.store(events=EVENTS)
    shops.sweep()
    shops.received("acme", *(30 * DAY + hour + 0.5 for hour in range(9, 18)))
    shops.received("acme", *(30 * DAY + hour + 0.5 for hour in range(9, 18)), event="customer_new")
    shops.sweep(hours=DAY)

    assert shops.open() == [("acme", "shipment_shipped")]


def test_an_alarm_is_over_with_the_next_hook(shops):
    shops.store()
    shops.sweep()
    shops.sweep(hours=DAY)
    shops.received("acme", 31 * DAY + 9.2)
    shops.sweep(hours=14)

    assert [one.ended_at for one in shops.alarms()] == [hour_us(31 * DAY + 9.2)]


def test_after_a_silence_of_all_events_none_is_late_at_once(shops):
    shops.store(events=EVENTS)
    shops.sweep()
    shops.sweep(hours=10 * DAY)
    shops.received("acme", 40 * DAY + 9.5)
    shops.sweep(hours=14)

    assert shops.open() == []


@pytest.mark.on_both_databases
def test_of_a_store_that_is_known_to_be_silent_nothing_is_learned_every_minute(shops):
    store = shops.store(events=EVENTS)
    shops.sweep()
    shops.sweep(hours=DAY)
    with reading(shops.engine) as conn:
        before = load_expectations(conn, [store])[store]

    assert {one.due_at for one in before.values()} == {None}


def test_a_store_of_which_little_is_known_is_left_in_peace(shops):
    shops.store(events=())
    shops.received("acme", *(hour + 0.5 for hour in range(10 * DAY)))
    shops.sweep()

    assert shops.open() == []


def test_of_a_store_whose_hooks_were_removed_nothing_is_expected(shops):
    store = shops.store()
    with writing(shops.engine) as conn:
        save_store_api(
            conn, store, encrypt(KEYS, Credentials("id", "secret", "http://127.0.0.1/v1/").as_config()), shops.clock
        )
    shops.sweep()
    shops.sweep(hours=DAY)
    before = shops.open()
    with writing(shops.engine) as conn:
        set_hook_registration(conn, store, shops.clock, registers=False)
    shops.sweep(hours=1)
    shops.sweep(hours=DAY)

    assert before == [("acme", "")]
    assert shops.open() == []


def test_each_store_has_its_own_past(shops):
    shops.store("acme")
    shops.store("moon")
    shops.sweep()
    shops.received("moon", *(30 * DAY + hour + 0.5 for hour in range(9, 18)))
    shops.sweep(hours=DAY)

    assert shops.open() == [("acme", "")]
