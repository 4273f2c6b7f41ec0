"""How stores are doing, in words."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.backfill.progress import Progress
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.ledger.queries.standings import StoreStanding
from pipeline.ledger.queries.store_figures import StoreFigures
from receiver.pages.stores.verdict import StoreFacts, describe_alarm, judge, say_how_all_are

MINUTE = 60_000_000
NOW = 1_772_470_000_000_000
READING = {"backfill": 1, "kind": "all", "state": "running", "phase": "customers", "customers": 214}


def figures(**more):
    nothing = dict.fromkeys(
        ("last_event_at", "usual_today", "arrival_times", "oldest_waiting_at", "waiting_reason"), None
    )
    return StoreFigures(
        **{"store_id": 1, "events_by_hour": (), "events_today": 0, "waiting": 0, "refused": 0} | nothing | more
    )


def facts(state, progress=None, **more):
    link = SimpleNamespace(platform="customerio", label="", title=None, status_reason=None)
    return StoreFacts("acme", "Acme", StoreStanding(1, state), figures(**more), [link], progress, can_change=True)


def alarm(headline):
    nothing = dict.fromkeys(("last_at", "expected_us", "reason", "tried_at", "told_at", "ended_at", "closed_at"), None)
    said = {"headline": headline, "effect": "64 messages wait, none is lost."}
    row = {"id": 1, "kind": "platform_keys_refused", "store_id": 1, "store": "acme", "account_id": 1, "event": ""}
    return AlarmRow(**row, **nothing, tried=(), since=NOW, said=said)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["working", "working"], "All 2 shops are working."),
        (["needs_you", "working"], "1 of 2 shops needs you."),
        (["needs_you", "needs_you", "catching_up"], "2 of 3 shops need you."),
        (["working"], "Your shop is working."),
        (["needs_you"], "Your shop needs you."),
        (["working", "catching_up"], "1 of 2 shops is catching up. Nothing needs you."),
        (
            ["catching_up", "catching_up", "not_started"],
            "2 of 3 shops are catching up, and 1 of 3 shops waits for the first event. Nothing needs you.",
        ),
    ],
)
def test_one_sentence_says_how_all_are(states, said):
    assert say_how_all_are(states) == said


def test_a_backlog_says_how_many_wait_and_that_none_is_lost():
    backlog = facts("catching_up", waiting=64, oldest_waiting_at=NOW - 14 * MINUTE, waiting_reason="answered 503")

    said = judge(backlog, NOW).sentence

    assert said == (
        "64 messages wait, the oldest for 14 min 0 s. The last attempt failed: answered 503. "
        "They leave in order, by themselves; none is lost."
    )


def test_a_first_reading_says_how_far_it_is():
    rest = dict.fromkeys(("pages", "pages_total", "pages_per_second", "seconds", "throttled_seconds"), 1)
    times = {"waited_seconds": 0, "started_at": NOW, "ended_at": None, "next_step_at": None, "error": None}
    progress = Progress(**READING, **rest, **times, customers_total=412, seconds_left=20)

    assert judge(facts("catching_up", progress), NOW).sentence == (
        "Its customers are being read: 214 of 412, about 20 s left."
    )


def test_a_working_store_says_who_takes_its_events():
    assert judge(facts("working"), NOW).sentence == "Events arrive, and Customer.io takes them."


def test_an_alarm_is_said_without_the_name_of_the_store():
    assert describe_alarm(alarm("acme: Customer.io refuses our key since 03:12")) == (
        "Customer.io refuses our key since 03:12. 64 messages wait, none is lost."
    )
