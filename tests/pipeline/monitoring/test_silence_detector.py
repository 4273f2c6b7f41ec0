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
def test_only_hooks_are_counted_and_each_of_them_once(town):
    store = town.store(events=())
    with writing(town.engine) as conn:
        add_event(conn, store, 1, received_at=hour_us(3.2))
        add_event(conn, store, 2, received_at=hour_us(3.7))
        add_event(conn, store, 3, received_at=hour_us(9.5), source="reconcile")
        add_event(conn, store, 4, received_at=hour_us(9.6), name="an_invented_event")
    for _ in range(2):
        with writing(town.engine) as conn:
            collect_activity(conn)
    with writing(town.engine) as conn:
        add_event(conn, store, 5, received_at=hour_us(3.9))
        add_event(conn, store, 6, received_at=hour_us(3.1))  # from a spool
        collect_activity(conn)

    with reading(town.engine) as conn:
        [active] = load_active_hours(conn, store, 0)["order_new"]
    assert (active.hour, active.first_at, active.last_at) == (
        BEGIN + 3,
        hour_us(3.1),
        hour_us(3.9),
    )


def test_in_the_evening_no_one_is_alarmed(town):
    town.store()
    town.sweep()

    assert town.open() == []


def test_hooks_that_do_not_come_the_next_day_are_an_alarm(town):
    town.store()
    town.sweep()
    town.sweep(hours=DAY)

    [alarm] = town.alarms()
    assert (alarm.store, alarm.event, alarm.last_at) == ("acme", "", hour_us(29 * DAY + 17.5))
    assert alarm.expected_us is not None
    assert 15 * HOUR_US < alarm.expected_us < 24 * HOUR_US


def test_all_events_that_stop_together_are_one_alarm(town):
    town.store(events=EVENTS)
    town.sweep()
    for _ in range(3):
        town.sweep(hours=DAY)

    assert town.open() == [("acme", "")]


def test_one_event_that_stops_is_an_alarm_of_its_own(town):
    town.store(events=EVENTS)
    town.sweep()
    town.received("acme", *(30 * DAY + hour + 0.5 for hour in range(9, 18)))
    town.received("acme", *(30 * DAY + hour + 0.5 for hour in range(9, 18)), event="customer_new")
    town.sweep(hours=DAY)

    assert town.open() == [("acme", "shipment_shipped")]


def test_an_alarm_is_over_with_the_next_hook(town):
    town.store()
    town.sweep()
    town.sweep(hours=DAY)
    town.received("acme", 31 * DAY + 9.2)
    town.sweep(hours=14)

    assert [one.ended_at for one in town.alarms()] == [hour_us(31 * DAY + 9.2)]


def test_after_a_silence_of_all_events_none_is_late_at_once(town):
    town.store(events=EVENTS)
    town.sweep()
    town.sweep(hours=10 * DAY)
    town.received("acme", 40 * DAY + 9.5)
    town.sweep(hours=14)

    assert town.open() == []


@pytest.mark.on_both_databases
def test_of_a_store_that_is_known_to_be_silent_nothing_is_learned_every_minute(town):
    store = town.store(events=EVENTS)
    town.sweep()
    town.sweep(hours=DAY)
    with reading(town.engine) as conn:
        before = load_expectations(conn, [store])[store]

    assert {one.due_at for one in before.values()} == {None}


def test_a_store_of_which_little_is_known_is_left_in_peace(town):
    town.store(events=())
    town.received("acme", *(hour + 0.5 for hour in range(10 * DAY)))
    town.sweep()

    assert town.open() == []


def test_of_a_store_whose_hooks_were_removed_nothing_is_expected(town):
    store = town.store()
    with writing(town.engine) as conn:
        save_store_api(
            conn, store, encrypt(KEYS, Credentials("id", "secret", "http://127.0.0.1/v1/").as_config()), town.clock
        )
    town.sweep()
    town.sweep(hours=DAY)
    before = town.open()
    with writing(town.engine) as conn:
        set_hook_registration(conn, store, town.clock, registers=False)
    town.sweep(hours=1)
    town.sweep(hours=DAY)

    assert before == [("acme", "")]
    assert town.open() == []


def test_each_store_has_its_own_past(town):
    town.store("acme")
    town.store("moon")
    town.sweep()
    town.received("moon", *(30 * DAY + hour + 0.5 for hour in range(9, 18)))
    town.sweep(hours=DAY)

    assert town.open() == [("acme", "")]
