"""What a platform refuses, or does not take."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipeline.attention.causes.platform_away import MIN_DURATION_US
from pipeline.ledger.deliveries import acquire_lane, clear_lane, pause_connection, postpone_lane
from pipeline.ledger.engine import writing
from pipeline.ledger.schema.core import Delivery
from pipeline.operations.pause import MANUAL_PAUSE


def fails(attention, attempts: int, reason: str = "answered 503") -> None:
    with writing(attention.engine) as conn:
        taken = acquire_lane(conn, attention.link.id, 0, attention.clock)
        postpone_lane(conn, taken, attention.clock + 1, attempts, reason)


def test_a_connection_that_was_paused_by_hand_needs_nothing(attention):
    with writing(attention.engine) as conn:
        pause_connection(conn, attention.link.id, MANUAL_PAUSE, attention.clock)

    assert attention.causes() == []


def test_a_platform_that_takes_nothing_for_minutes_is_named_with_what_waits(attention):
    attention.waits(3)
    fails(attention, 1)
    attention.clock += MIN_DURATION_US - 1
    fails(attention, 2)
    before = attention.causes()
    attention.clock += 1

    [item] = attention.list()
    assert (before, item.cause, item.subject) == ([], "platform_takes_nothing", "acme/customerio")
    assert item.headline == "acme: Customer.io takes nothing (answered 503)"
    assert item.effect.startswith("3 messages wait since")
    assert item.tried == ("2 attempts so far; the last one: answered 503. Cratewire tries again by itself.",)


def test_one_attempt_that_went_through_ends_it(attention):
    attention.waits(3)
    fails(attention, 1)
    attention.clock += MIN_DURATION_US
    with writing(attention.engine) as conn:
        clear_lane(conn, acquire_lane(conn, attention.link.id, 0, attention.clock))

    assert attention.causes() == []


def test_a_platform_that_is_away_while_nothing_waits_is_nothing_to_speak_of(attention):
    fails(attention, 1)
    attention.clock += MIN_DURATION_US

    assert attention.causes() == []


@pytest.mark.parametrize(("reason", "audience"), [("answered 503", "merchant"), ("our own fault: X", "operator")])
def test_a_fault_of_ours_is_the_operators(attention, reason, audience):
    attention.waits()
    fails(attention, 1, reason)
    attention.clock += MIN_DURATION_US

    assert [item.audience for item in attention.list()] == [audience]


@pytest.mark.on_both_databases
def test_messages_that_were_refused_are_counted_with_their_reasons(attention):
    ids = attention.waits(3)
    with writing(attention.engine) as conn:
        for number, reason in zip(ids, ["refused", "refused", "too_large"], strict=True):
            dead = {"status": "dead", "done_at": attention.clock, "reason": reason, "detail": "name: 'Öztürk' is bad"}
            conn.execute(update(Delivery).where(Delivery.id == number).values(dead))

    [item] = attention.list()
    why = "something in them is not accepted (2), too large (1)"
    assert item.headline == f"acme: 3 messages were refused by Customer.io: {why}"
    assert item.reason == "refused"
    attention.clock += 8 * 86_400_000_000
    assert attention.list() == []


def test_what_a_platform_says_about_a_message_is_in_no_alarm_notice_or_mail(attention):
    [number] = attention.waits(1)
    with writing(attention.engine) as conn:
        dead = {"status": "dead", "done_at": attention.clock, "reason": "refused", "detail": "surname: 'Öztürk' is bad"}
        conn.execute(update(Delivery).where(Delivery.id == number).values(dead))

    attention.sweep()
    assert "Öztürk" not in repr((attention.list(), attention.alarms(), attention.letters(), attention.notices()))
