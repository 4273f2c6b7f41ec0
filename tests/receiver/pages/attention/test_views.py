"""What needs a person: who sees it, what its button does, what is set aside, and what has ended."""

from __future__ import annotations

import pytest

from pipeline.attention.alarm_sync import sync_alarms
from pipeline.attention.causes import CAUSES
from pipeline.attention.item import AttentionItem, Cause
from pipeline.attention.remedies import REMEDIES
from pipeline.ledger.deliveries import pause_connection
from pipeline.ledger.engine import writing
from pipeline.ledger.monitoring.alarms import end_alarms
from tests.builders import NOW

BEA, EVE, ROBIN = "bea@example.com", "eve@example.com", "robin@example.com"
DAY = 86_400_000_000
REFUSED = [cause for cause in CAUSES if cause.name == "platform_keys_refused"]


@pytest.fixture
def refused(pages):
    """A store of Bea's whose platform refuses its keys, after a sweep."""
    account = pages.member(BEA)
    pages.store("acme", account)
    pages.member(ROBIN, account, "reader")
    pages.store("moon", pages.member(EVE))
    with writing(pages.site.engine) as conn:
        pause_connection(conn, 1, "the credentials were refused (401)", NOW)
    sync_alarms(pages.site, REFUSED)
    return pages


def seen(pages, email):
    visitor = pages.logged_in(email)
    visitor.go("/attention")
    return visitor


def found(pages, cause, **more):
    """Another item of a cause, as a sweep finds it."""
    values = {"store": "acme", "store_id": 1, "audience": "merchant", "headline": "acme: it is x", **more}
    item = AttentionItem(cause, "x", **{"effect": "So it is.", "to_do": "Do it.", "since": NOW, **values})
    sync_alarms(pages.site, [Cause(cause, lambda _: [item])])


def test_an_item_is_shown_with_its_button_its_command_and_since_when(refused):
    text = seen(refused, BEA).page

    assert "1 thing needs you" in text
    assert "acme: nothing reaches Customer.io (the credentials were refused, 401)." in text
    assert "Nothing is lost: everything is kept" in text
    assert "<button>Try the saved keys again</button>" in text
    assert "cratewire connections resume --store acme" in text
    assert 'href="/connect?store=acme">Enter new keys</a>' in text


def test_others_see_nothing_of_it(refused):
    text = seen(refused, EVE).page

    assert "acme" not in text
    assert "Nothing needs you" in text


def test_a_reader_sees_it_and_has_no_button(refused):
    text = seen(refused, ROBIN).page

    assert "nothing reaches Customer.io" in text
    assert "<button>Try the saved keys again</button>" not in text


def test_a_reader_cannot_press_it(refused):
    visitor = seen(refused, ROBIN)
    visitor.go("/account")
    visitor.send("/attention/1/try_keys")

    assert visitor.status == 403


def test_every_cause_has_a_card(pages):
    pages.store("acme", pages.member(BEA))
    for cause in CAUSES:
        found(pages, cause.name, audience="operator", headline=f"acme: it is {cause.name}")
    text = seen(pages, BEA).text

    assert [cause.name for cause in CAUSES if f"acme: it is {cause.name}." not in text] == []
    assert [row.button for row in REMEDIES.values() if row.button not in text] == []


def test_a_button_that_could_not_mend_it_says_why(refused):
    visitor = seen(refused, BEA)
    visitor.send("/attention/1/try_keys")

    assert "It stays as it is." in visitor.text
    assert "1 thing needs you" in visitor.text


def test_a_button_that_checks_again_says_what_it_found(pages):
    pages.store("acme", pages.member(BEA))
    found(pages, "memory_short", store=None, store_id=None, audience="operator", headline="The kernel kills processes")
    visitor = seen(pages, BEA)
    visitor.send("/attention/1/check_again")

    assert "Checked just now: it is over." in visitor.text
    assert "Nothing needs you" in visitor.text


def test_what_can_start_campaigns_asks_first(pages):
    pages.store("acme", pages.member(BEA))
    found(pages, "backfill_stopped")
    visitor = seen(pages, BEA)
    visitor.send("/attention/1/read_customers")

    assert "Campaigns that start when a person enters a segment may start" in visitor.text
    assert visitor.status == 200


def test_an_action_of_another_cause_does_not_exist(refused):
    visitor = seen(refused, BEA)
    visitor.send("/attention/1/resume_chain")

    assert visitor.status == 404


def test_it_is_set_aside_with_a_reason_and_brought_back(refused):
    visitor = seen(refused, BEA)
    visitor.send("/attention/1/set-aside", reason="we change banks", days="7")

    assert "Nothing needs you" in visitor.text
    assert "we change banks" in visitor.text
    assert f"Set aside by {BEA}" in visitor.text
    visitor.send("/attention/1/bring-back")
    assert "1 thing needs you" in visitor.text


def test_without_a_reason_nothing_is_set_aside(refused):
    visitor = seen(refused, BEA)
    visitor.send("/attention/1/set-aside", reason="  ")

    assert "Say why it is set aside" in visitor.text
    assert "1 thing needs you" in visitor.text


def test_what_is_set_aside_comes_back_when_its_time_is_over(refused):
    seen(refused, BEA).send("/attention/1/set-aside", reason="later", days="1")
    refused.clock[0] = NOW + DAY
    sync_alarms(refused.site, REFUSED)

    assert "1 thing needs you" in seen(refused, BEA).text


def test_what_is_set_aside_comes_back_when_it_gets_worse(refused):
    seen(refused, BEA).send("/attention/1/set-aside", reason="later")
    refused.clock[0] += 1
    with writing(refused.site.engine) as conn:
        pause_connection(conn, 1, "answered 403", refused.site.now())
    sync_alarms(refused.site, REFUSED)

    assert "1 thing needs you" in seen(refused, BEA).text


def test_what_is_over_is_listed_for_thirty_days(refused):
    with writing(refused.site.engine) as conn:
        end_alarms(conn, [1], NOW + 60_000_000)
    text = seen(refused, BEA).text
    refused.clock[0] = NOW + 31 * DAY

    assert "Nothing needs you" in text
    assert "nothing reaches Customer.io (the credentials were refused, 401). Ended by itself. 1 min 0 s" in text
    assert "nothing reaches Customer.io" not in seen(refused, BEA).text


def test_what_only_the_operator_can_mend_names_no_machine_to_others(pages):
    pages.store("acme", pages.member(BEA))
    pages.store("moon", pages.member(EVE))
    found(
        pages, "disk_nearly_full", store=None, store_id=None, audience="operator", headline="The disk of web-1 is full"
    )

    assert "The disk of web-1 is full" in seen(pages, BEA).text
    text = seen(pages, EVE).text
    assert "web-1" not in text
    assert "One thing in this Cratewire itself needs the people who run it." in text
