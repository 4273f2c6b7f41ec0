"""Who is notified of an alarm, how often, and in which words: once, daily, and once more when it is over."""

from __future__ import annotations

import json

import pytest

from pipeline.ledger.engine import writing
from pipeline.ledger.monitoring.alarms import end_alarms, open_alarm
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.monitoring.notifications import MAX_MAILS_PER_HOUR
from tests.pipeline.monitoring.hook_histories import DAY

OWNER = "bea@example.com"
AGAIN = (31 * DAY + 9.2, 31 * DAY + 9.9, 31 * DAY + 10.5)


@pytest.fixture
def silent(shops):
    """A store that has been silent for a day, of which its owner was notified just now."""
    shops.owner(OWNER)
    shops.store()
    shops.sweep()
    shops.sweep(hours=DAY)
    return shops


def test_the_owners_and_the_operators_address_get_one_notice(silent):
    for _ in range(5):
        silent.sweep(hours=0.2)

    [(recipient, subject, text)] = silent.letters()
    assert (recipient, subject) == (OWNER, "acme: no hooks since 2026-02-03 17:30 UTC")
    assert "What was tried:\n- The hooks registered at Cratejoy were not checked" in text
    assert "https://hooks.example.com/stores/acme" in text
    [notice] = silent.sent_now()
    assert (notice["type"], [one["store"] for one in notice["data"]["opened"]]) == ("alarms.opened", ["acme"])


def test_a_reminder_comes_once_a_day(silent):
    for _ in range(10):
        silent.sweep(hours=7)

    assert [notice["type"] for notice in silent.sent_now()] == ["alarms.opened", "alarms.reminder", "alarms.reminder"]


def test_a_reminder_is_one_notice_also_while_no_more_mails_may_leave(silent):
    silent.sweep(hours=23.6)
    for number in range(MAX_MAILS_PER_HOUR):
        silent.store(f"moon-{number}")
        silent.sweep(hours=0.05)
    for _ in range(4):
        silent.sweep(hours=0.1)

    assert [notice["type"] for notice in silent.sent_now()].count("alarms.reminder") == 1


def test_the_end_is_reported_once(silent):
    silent.sweep(hours=0.1)
    silent.letters()
    silent.sent_now()
    silent.received("acme", *AGAIN)
    silent.sweep(hours=15)
    silent.sweep(hours=0.1)

    [(_, subject, text)] = silent.letters()
    assert subject == "acme: hooks come again"
    assert "has come again at 2026-02-05 09:12 UTC" in text
    assert [notice["type"] for notice in silent.sent_now()] == ["alarms.ended"]


@pytest.mark.on_both_databases
def test_an_alarm_that_ended_before_its_mail_is_only_in_a_notice(shops):
    shops.owner(OWNER)
    shops.store()
    shops.canary_seconds = 300.0  # nothing answers: no notice before the time is over
    shops.sweep()
    shops.sweep(hours=DAY)
    silent = shops.open()
    shops.received("acme", *AGAIN)
    shops.sweep(hours=15)
    shops.sweep(hours=0.1)

    assert (silent, shops.open()) == ([("acme", "")], [])
    assert shops.letters() == []
    [notice] = shops.sent_now()
    assert [[one["store"] for one in notice["data"][part]] for part in ("opened", "ended")] == [["acme"], ["acme"]]


def test_stores_that_fall_silent_together_are_one_letter(shops):
    shops.owner(OWNER)
    for name in ("acme", "moon", "star"):
        shops.store(name)
    shops.sweep()
    for _ in range(8):
        shops.sweep(hours=3)

    [(_, _, text)] = shops.letters()
    assert all(name in text for name in ("acme", "moon", "star"))


def test_what_opens_later_is_told_at_once(silent):
    silent.sent_now()
    silent.store("moon")
    silent.sweep(hours=0.1)

    assert [[one["store"] for one in notice["data"]["opened"]] for notice in silent.sent_now()] == [["moon"]]


def test_an_account_gets_only_so_many_letters_an_hour(silent):
    for number in range(MAX_MAILS_PER_HOUR + 3):
        silent.store(f"moon-{number}")
        silent.sweep(hours=0.05)
    before, notices = len(silent.letters()), len(silent.sent_now())
    silent.sweep(hours=1)
    [(_, _, late)] = silent.letters()

    assert (before, notices) == (MAX_MAILS_PER_HOUR, MAX_MAILS_PER_HOUR + 4)
    assert sum(f"No hook of moon-{number} " in late for number in range(MAX_MAILS_PER_HOUR + 3)) >= 4


def test_what_comes_back_within_the_hour_waits_until_it_has_passed(silent):
    silent.letters()
    silent.sent_now()
    with writing(silent.engine) as conn:
        end_alarms(conn, [1], silent.clock)
    silent.sweep(hours=0.1)
    ended = [subject for _, subject, _ in silent.letters()]
    again = NewAlarm("silence", silent.stores["acme"], last_at=silent.clock, skip_diagnostics=True)
    with writing(silent.engine) as conn:
        open_alarm(conn, again, silent.clock)
    silent.sweep(hours=0.5)
    soon = silent.letters()
    silent.sweep(hours=1.1)

    assert (ended, soon, len(silent.letters())) == (["acme: hooks come again"], [], 1)
    assert [notice["type"] for notice in silent.sent_now()] == ["alarms.ended", "alarms.opened"]


def test_owners_are_not_notified_of_other_stores(shops):
    shops.owner(OWNER)
    shops.owner("mo@example.com", account="moons")
    shops.store()
    shops.sweep(hours=DAY)

    assert [recipient for recipient, _, _ in shops.letters()] == [OWNER]


def test_neither_readers_nor_unconfirmed_addresses_get_mails(shops):
    shops.owner(OWNER)
    shops.owner("rea@example.com", role="reader")
    shops.owner("unconfirmed@example.com", confirmed=False)
    shops.store()
    shops.sweep(hours=DAY)

    assert [recipient for recipient, _, _ in shops.letters()] == [OWNER]


def test_a_broken_way_in_is_reported_to_all_owners_who_have_a_store(shops):
    shops.owner(OWNER)
    shops.owner("mo@example.com", account="moons")
    shops.canary_seconds = 300.0
    for _ in range(5):
        shops.answer(shops.sweep(hours=0.1), "TLS failed")

    letters = shops.letters()
    assert [recipient for recipient, _, _ in letters] == [OWNER, "mo@example.com"]
    assert {subject for _, subject, _ in letters} == {"Hooks cannot reach Cratewire"}
    assert all("TLS failed" in text for _, _, text in letters)


def test_without_an_address_for_notices_none_is_written(shops):
    shops.owner(OWNER)
    shops.store()
    shops.notices = False
    shops.sweep(hours=DAY)

    assert (len(shops.letters()), shops.sent_now()) == (1, [])


def test_a_notice_says_all_a_program_needs_and_names_no_one(silent):
    silent.sweep(hours=0.1)

    [notice] = silent.sent_now()
    [alarm] = notice["data"]["opened"]
    assert (alarm["kind"], alarm["event"], alarm["last_at"]) == ("silence", None, "2026-02-03T17:30:00Z")
    assert alarm["expected_by"] < notice["timestamp"]
    assert OWNER not in json.dumps(notice)
