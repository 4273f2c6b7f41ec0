"""The flow page: numbers that add up, each with its events behind it."""

from __future__ import annotations

import html
import re

import pytest

from pipeline.ledger.counts.changes import add_changes
from pipeline.ledger.counts.keys import HOUR_US, CountKey
from pipeline.ledger.engine import writing
from tests.builders import NOW
from tests.receiver.pages.activity.feed import HERS, OTHERS, add, rows, send

HOUR = NOW // HOUR_US


@pytest.fixture
def store_id(pages):
    pages.store("not-hers", pages.member(OTHERS))
    return pages.store("acme", pages.member(HERS))


@pytest.fixture
def visitor(pages, store_id):
    return pages.logged_in(HERS)


def count(pages, store_id, outcome, number=1, hour=HOUR):
    with writing(pages.site.engine) as conn:
        add_changes(conn, {CountKey(store_id, hour, "order_new", outcome): number})


def numbers(visitor):
    found = re.findall(r'id="flow-(\w+)"><data [^>]*>([\d,]+)<', visitor.page)
    return {code: int(text.replace(",", "")) for code, text in found}


def link(visitor, code):
    (found,) = re.findall(rf'<a href="([^"]+)" id="flow-{code}"', visitor.page)
    return html.unescape(found)


def test_the_numbers_of_the_last_day_add_up(pages, store_id, visitor):
    sent, waits, dead = (add(pages, store_id, number, received_at=NOW) for number in (1, 2, 3))
    send(pages, store_id, sent, status="sent", done_at=NOW)
    send(pages, store_id, waits)
    send(pages, store_id, dead, status="dead", done_at=NOW, reason="x")
    for outcome, number in (("forwarded", 3), ("duplicate", 1_000), ("dead", 2), ("nobody", 4), ("withheld", 5)):
        count(pages, store_id, outcome, number)
    count(pages, store_id, "forwarded", hour=HOUR - 30)

    visitor.go("/flow")

    found = numbers(visitor)
    expected = {"repeats": 1_000, "unreadable": 2, "kept": 4, "withheld": 5, "waiting": 1, "sent": 1, "refused": 1}
    assert found == {**expected, "received": sum(expected.values())}
    assert "Of 1,014 received there are 1 waiting, 1 refused and 2 that could not be read." in visitor.text


@pytest.mark.parametrize(("code", "number"), [("sent", 1), ("waiting", 2), ("refused", 3)])
def test_each_number_opens_its_events(pages, store_id, visitor, code, number):
    states = {1: {"status": "sent", "done_at": NOW}, 2: {}, 3: {"status": "dead", "done_at": NOW, "reason": "x"}}
    ids = {key: add(pages, store_id, key, received_at=NOW) for key in states}
    for key, message in states.items():
        send(pages, store_id, ids[key], **message)
    count(pages, store_id, "forwarded", 3)

    visitor.go("/flow")
    visitor.go(link(visitor, code))

    assert rows(visitor) == [ids[number]]


def test_a_longer_span_is_shown_by_day_and_keeps_the_store(pages, store_id, visitor):
    count(pages, store_id, "forwarded", 2, hour=HOUR - 30)

    visitor.go("/flow?span=week&store=acme")

    assert (numbers(visitor)["sent"], "By day" in visitor.text, "store=acme" in link(visitor, "sent")) == (
        2,
        True,
        True,
    )


def test_recovered_events_are_named_apart(pages, store_id, visitor):
    count(pages, store_id, "forwarded", 2)
    count(pages, store_id, "recovered", 1)

    visitor.go("/flow")

    assert (numbers(visitor)["received"], numbers(visitor)["recovered"]) == (2, 1)


def test_a_span_without_hooks_says_so(visitor):
    visitor.go("/flow?since=2026-01-01T00:00&until=2026-01-01T02:00")

    assert "Nothing was received in this time." in visitor.text


@pytest.mark.parametrize(
    "address",
    [
        "store=not-hers",
        "span=eon",
        "since=yesterday",
        "since=2026-02-01T00:00&until=2026-01-01T00:00",
        "since=0001-01-01",
    ],
)
def test_an_address_that_cannot_be_read_is_not_found(visitor, address):
    visitor.go(f"/flow?{address}")

    assert visitor.status == 404
