"""The page that says what a connection gets."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.ledger.connections import find_connection, set_connection_mapping
from pipeline.ledger.engine import reading, writing
from pipeline.mapping.rules import parse_mapping

HERS, READERS = "bea@example.com", "robin@example.com"
PLACE = "/stores/acme/connections/1/mapping"
ALL_ON = [name for name, row in EVENTS.items() if row.buyer]


@pytest.fixture
def store_id(pages):
    account = pages.member(HERS)
    pages.member(READERS, account, "reader")
    return pages.store("acme", account)


def saved(pages):
    with reading(pages.site.engine) as conn:
        return parse_mapping(find_connection(conn, 1).mapping)


def send(pages, email=HERS, **fields):
    visitor = pages.logged_in(email)
    visitor.go(PLACE)
    visitor.send(PLACE, **{"on": ALL_ON, "before": "", "attributes": "", "button": "save", **fields})
    return visitor


def test_names_are_saved_and_what_is_not_ticked_is_not_sent(pages, store_id):
    on = [name for name in ALL_ON if name != "checkout_failed"]
    send(pages, on=on, **{"there-order_new": "Placed Order"}, attributes="subscription_plan = Plan\nphone =")

    assert saved(pages).events == {"order_new": "Placed Order", "checkout_failed": None}
    assert saved(pages).attributes == {"subscription_plan": "Plan", "phone": None}


def test_the_form_shows_what_is_saved(pages, store_id):
    send(pages, **{"there-order_new": "Placed Order"}, attributes="phone =")
    page = pages.logged_in(HERS).go(PLACE)

    assert 'value="Placed Order"' in page
    assert "phone =" in page


def test_a_trial_saves_nothing_and_says_what_would_change(pages, store_id):
    visitor = send(pages, button="try", **{"there-order_new": "Placed Order"})

    assert "Of the last 0 events 0 would have another name" in visitor.text
    assert saved(pages).events == {}


def test_a_wrong_line_is_named_and_what_was_typed_stays(pages, store_id):
    visitor = send(pages, attributes="email = mail")

    assert "it cannot be changed" in visitor.text
    assert "email = mail" in visitor.page


def test_a_change_of_someone_else_is_not_overwritten(pages, store_id):
    with writing(pages.site.engine) as conn:
        set_connection_mapping(conn, 1, '{"events": {"order_new": "Theirs"}, "attributes": {}}')

    visitor = send(pages, **{"there-order_new": "Mine"})

    assert "changed meanwhile" in visitor.text
    assert saved(pages).events == {"order_new": "Theirs"}


def test_a_reader_sees_it_and_cannot_change_it(pages, store_id):
    visitor = pages.logged_in(READERS)
    visitor.go(PLACE)

    assert "Save" not in visitor.text
    visitor.send(PLACE, before="", button="save")
    assert saved(pages).events == {}


def test_the_settings_lead_there(pages, store_id):
    assert PLACE in pages.logged_in(HERS).go("/stores/acme/settings")
