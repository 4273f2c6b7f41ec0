"""Each thing opens once, is reported once and again after a day, and its end is reported with what it has cost."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipeline.attention.alarm_sync import sync_alarms
from pipeline.attention.item import AttentionItem, Cause
from pipeline.ledger.connections import resume_connection
from pipeline.ledger.deliveries import pause_connection
from pipeline.ledger.engine import writing
from pipeline.ledger.schema.core import Delivery
from tests.pipeline.attention.conftest import MINUTE, OWNER
from tests.pipeline.ledger.rows import NOW


def refuse(attention) -> None:
    with writing(attention.engine) as conn:
        pause_connection(conn, attention.link.id, "the credentials were refused (401)", attention.clock)


def mend(attention) -> None:
    """The connection goes on, and what waited leaves."""
    with writing(attention.engine) as conn:
        resume_connection(conn, attention.link.id, attention.clock)
        conn.execute(update(Delivery).values(status="sent", done_at=attention.clock))


def test_it_is_reported_within_the_sweep_that_finds_it(attention):
    attention.waits(64)
    refuse(attention)
    attention.sweep()

    [(recipient, subject, text)] = attention.letters()
    assert (recipient, subject) == (
        OWNER,
        "acme: nothing reaches Customer.io since 16:46 UTC (the credentials were refused, 401)",
    )
    assert "64 messages wait since 2026-03-02 16:46 UTC." in text
    assert "Nothing is lost: everything is kept" in text
    assert "To do: Connect acme to Customer.io again" in text
    assert "Command: cratewire connections resume --store acme" in text
    assert "https://hooks.example.com/attention" in text
    assert "If it lasts, the next mail comes at 2026-03-03 16:46 UTC" in text
    [notice] = attention.notices()
    [opened] = notice["data"]["opened"]
    assert (opened["kind"], opened["subject"], opened["for"]) == (
        "platform_keys_refused",
        "acme/customerio",
        "merchant",
    )


def test_it_is_reported_once_and_again_after_a_day(attention):
    refuse(attention)
    for _ in range(30):
        attention.sweep(minutes=60)

    assert [notice["type"] for notice in attention.notices()] == ["alarms.opened", "alarms.reminder"]
    assert len(attention.alarms()) == 1


@pytest.mark.on_both_databases
def test_its_end_is_reported_with_what_it_has_cost(attention):
    attention.waits(64)
    refuse(attention)
    attention.sweep()
    attention.letters()
    attention.clock += 28 * MINUTE
    mend(attention)
    attention.sweep(minutes=0.5)

    [(_, subject, text)] = attention.letters()
    assert subject.startswith("Over: acme: nothing reaches Customer.io")
    assert "over at 2026-03-02 17:15 UTC. 64 messages left, up to 28 min late." in text
    assert attention.list() == []


def test_an_end_is_reported_when_all_that_waited_has_left(attention):
    attention.waits(2)
    refuse(attention)
    attention.sweep()
    attention.letters()
    with writing(attention.engine) as conn:
        resume_connection(conn, attention.link.id, attention.clock)
    attention.sweep(minutes=1)
    too_soon = attention.letters()
    mend(attention)
    attention.sweep(minutes=1)

    assert (too_soon, len(attention.letters())) == ([], 1)


def test_an_end_whose_cost_stays_unknown_is_reported_all_the_same(attention):
    attention.waits(2)
    refuse(attention)
    attention.sweep()
    attention.letters()
    with writing(attention.engine) as conn:
        resume_connection(conn, attention.link.id, attention.clock)
    attention.sweep(minutes=1)
    attention.sweep(minutes=11)

    [(_, _, text)] = attention.letters()
    assert "over at 2026-03-02 16:47 UTC." in text


def test_what_was_over_before_it_was_reported_is_never_mentioned(attention):
    def unfinished(_):
        yield AttentionItem("x", "x", "merchant", "x", "x.", "x.", NOW, "acme", attention.store.id, is_final=False)

    sync_alarms(attention.context, [Cause("x", unfinished)])
    attention.sweep()
    sync_alarms(attention.context, [Cause("x", lambda _: ())])
    attention.sweep()

    [alarm] = attention.alarms()
    assert (alarm.ended_at, alarm.closed_at, attention.letters()) == (NOW, NOW, [])


def test_what_cannot_be_looked_at_stays_open(attention):
    def broken(_):
        raise OSError

    refuse(attention)
    attention.sweep()
    sync_alarms(attention.context, [Cause("platform_keys_refused", broken)])

    assert [one.ended_at for one in attention.alarms()] == [None]


def test_a_fault_in_one_cause_hides_no_other(attention):
    def broken(_):
        raise ZeroDivisionError

    def found(_):
        yield AttentionItem("x", "x", "merchant", "x", "x.", "x.", NOW)

    sync_alarms(attention.context, [Cause("broken", broken), Cause("x", found)])

    assert [one.kind for one in attention.alarms()] == ["x"]


def test_an_unchanged_list_writes_nothing(attention):
    refuse(attention)
    attention.sweep()
    before = attention.alarms()
    attention.sweep(minutes=1)

    assert attention.alarms() == before
