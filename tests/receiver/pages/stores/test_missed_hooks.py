"""Missed hooks on a store's page, for users who may see the store."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from pipeline.ledger.engine import writing
from pipeline.ledger.observation import DAY_US, LATE, MISSED, RECEIVED, Observation
from pipeline.ledger.observed_events import save_observations
from pipeline.ledger.schema.reconciliation import Reconciliation
from receiver.pages.filters import share
from tests.builders import NOW

HERS, READERS, OTHERS = "bea@example.com", "robin@example.com", "eve@example.com"
TODAY = NOW // DAY_US
CAME, NEVER = "every hook has come", "never came"


@pytest.fixture
def acme(pages):
    account = pages.member(HERS)
    pages.member(READERS, account, "reader")
    return pages.store("acme", account)


def compare(pages, store_id, *, done=True, error=None):
    with writing(pages.site.engine) as conn:
        row = {"store_id": store_id, "collection": "orders", "since": NOW - DAY_US, "next_at": NOW, "visited": []}
        conn.execute(insert(Reconciliation).values(**row, mark=NOW, done_at=NOW if done else None, error=error))


def show(pages, store_id, *states, event="order_new", day=TODAY):
    sightings = [Observation(f"{event}:{day}:{number}", event, day, state) for number, state in enumerate(states)]
    with writing(pages.site.engine) as conn:
        save_observations(conn, store_id, sightings, NOW)


def page(pages, email=HERS, path="/stores/acme"):
    visitor = pages.logged_in(email)
    visitor.go(path)
    return visitor.text


def test_a_day_with_missed_hooks_says_which_and_how_many(pages, acme):
    compare(pages, acme)
    show(pages, acme, MISSED, LATE, RECEIVED, RECEIVED)
    show(pages, acme, RECEIVED, RECEIVED, event="shipment_shipped")

    text = page(pages)

    assert "6 events in 7 days, 1 hook never came (16.67 %), all 1 caught up , 1 late." in text
    assert "order new 4 1 1 25.00 %" in text


def test_days_on_which_all_came_are_not_listed(pages, acme):
    compare(pages, acme)
    show(pages, acme, MISSED)
    show(pages, acme, RECEIVED, event="shipment_shipped")

    assert "shipment shipped" not in page(pages)


def test_if_all_came_one_sentence_says_so(pages, acme):
    compare(pages, acme)
    show(pages, acme, RECEIVED, RECEIVED)

    text = page(pages)

    assert "2 events in 7 days, every hook has come." in text
    assert "share missed" not in text


def test_late_hooks_are_shown_and_not_counted_as_missed(pages, acme):
    compare(pages, acme)
    show(pages, acme, LATE, RECEIVED)

    text = page(pages)

    assert "2 events in 7 days, every hook has come, 1 late." in text
    assert NEVER not in text


def test_what_was_missed_eight_days_ago_is_over(pages, acme):
    compare(pages, acme)
    show(pages, acme, MISSED, day=TODAY - 7)

    assert NEVER not in page(pages)


def test_before_anything_was_compared_nothing_is_promised(pages, acme):
    compare(pages, acme, done=False)

    assert "Not compared yet" in page(pages)


def test_a_store_that_cannot_be_compared_has_no_such_part(pages, acme):
    assert "Checked against Cratejoy" not in page(pages)


def test_what_could_not_be_compared_is_said(pages, acme):
    compare(pages, acme, error="GET orders: answered 500")

    assert "Not everything could be compared: Cratejoy answered 500." in page(pages)


@pytest.mark.parametrize("states", [(), (RECEIVED,), (LATE, RECEIVED)])
def test_nothing_is_promised_of_what_could_not_be_compared(pages, acme, states):
    compare(pages, acme, error="GET orders: answered 500")
    show(pages, acme, *states)

    text = page(pages)

    assert CAME not in text


def test_an_incomplete_comparison_is_shown_as_such(pages, acme):
    compare(pages, acme, error="GET orders: answered 500")
    show(pages, acme, RECEIVED)

    assert "every hook of what could be compared has come" in page(pages)


@pytest.mark.parametrize("path", ["/stores/acme", "/stores/acme/latest"])
def test_a_reader_sees_it_too(pages, acme, path):
    compare(pages, acme)
    show(pages, acme, MISSED)

    assert NEVER in page(pages, READERS, path)


def test_another_merchant_sees_only_their_own(pages, acme):
    moon = pages.store("moon", pages.member(OTHERS))
    for store_id in (acme, moon):
        compare(pages, store_id)
    show(pages, acme, MISSED, MISSED)
    show(pages, moon, RECEIVED)

    text = page(pages, OTHERS, "/stores/moon")

    assert CAME in text
    assert NEVER not in page(pages, OTHERS, "/")


@pytest.mark.parametrize(
    ("rate", "text"), [(0, "0.00 %"), (1 / 61, "1.64 %"), (1, "100.00 %"), (0.000_01, "below 0.01 %")]
)
def test_a_share_above_zero_is_not_shown_as_zero(rate, text):
    assert share(rate) == text
