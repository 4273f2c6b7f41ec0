"""The switches of events, their preview, and the test alarm, on the settings page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.ledger.accounts import list_owner_emails
from pipeline.ledger.engine import reading
from pipeline.ledger.queries.audit import list_actions
from pipeline.ledger.stores import find_store
from tests.receiver.pages.browser import PagesInstallation

OWNER, ROBIN = "bea@example.com", "robin@example.com"
DEFAULT = [name for name, row in EVENTS.items() if row.forwarded]


@pytest.fixture
def shop(pages):
    account = pages.member(OWNER)
    pages.member(ROBIN, account, "reader")
    pages.store("acme", account)
    return account


def switch(pages, names, **fields):
    visitor = pages.logged_in(OWNER)
    visitor.go("/stores/acme/settings")
    visitor.send("/stores/acme/settings/events", on=names, **fields)
    return visitor


def stored(pages):
    with reading(pages.site.engine) as conn:
        return find_store(conn, "acme")


def test_an_event_is_switched_off_and_another_on(pages, shop):
    visitor = switch(pages, [name for name in DEFAULT if name != "order_new"] + ["shipment_address_updated"])
    store = stored(pages)

    assert "It holds for events that arrive from now on." in visitor.text
    assert (store.not_forwarded, store.forward_also, store.forward_tests) == (
        ("order_new",),
        ("shipment_address_updated",),
        False,
    )
    with reading(pages.site.engine) as conn:
        [action] = list_actions(conn, [shop])
    assert action.about == {"on": ["shipment_address_updated"], "off": ["order_new"], "tests": "false"}


def test_saving_what_is_set_changes_nothing(pages, shop):
    assert "Nothing was changed." in switch(pages, DEFAULT).text
    with reading(pages.site.engine) as conn:
        assert list_actions(conn, [shop]) == []


def test_test_orders_have_a_switch_of_their_own(pages, shop):
    switch(pages, DEFAULT, tests="yes")

    assert (stored(pages).forward_tests, stored(pages).not_forwarded) == (True, None)


def test_an_event_that_there_is_not_is_refused(pages, shop):
    assert "Nothing was changed. No such event" in switch(pages, [*DEFAULT, "order_imagined"]).text


def test_a_reader_sees_the_switches_and_cannot_save_them(pages, shop):
    page = pages.logged_in(ROBIN).go("/stores/acme/settings")

    assert page.count('role="switch"') == sum(bool(row.buyer) for row in EVENTS.values())
    assert page.count("disabled") == page.count('role="switch"') + 1
    assert "/settings/keys/" not in page


def test_a_preview_without_an_event_says_so(pages, shop):
    visitor = pages.logged_in(ROBIN)
    visitor.go("/stores/acme/settings/events/order_new")
    says = visitor.text
    visitor.go("/stores/acme/settings/events/order_imagined")

    assert ("no such event in this shop yet" in says, visitor.status) == (True, 404)


def test_a_test_alarm_goes_to_the_owners(pages, shop):
    with reading(pages.site.engine) as conn:
        assert list_owner_emails(conn, shop) == [OWNER]
    visitor = pages.logged_in(OWNER)
    visitor.go("/stores/acme/settings")
    visitor.send("/stores/acme/settings/alarms/test")

    assert f"A test alarm is on its way to {OWNER}." in visitor.text
    assert [(mail.recipient, mail.subject) for mail in pages.mail()] == [(OWNER, "A test alarm of Cratewire")]


def test_test_alarms_are_limited(pages, shop):
    visitor = pages.logged_in(OWNER)
    for _ in range(6):
        visitor.go("/stores/acme/settings")
        visitor.send("/stores/acme/settings/alarms/test")

    assert "too many test alarms" in visitor.text


def test_a_notice_address_that_does_not_answer_is_reported(pages, shop):
    settings = replace(pages.site.settings, alarm_url="http://127.0.0.1:1/")
    other = PagesInstallation.of(replace(pages.site, settings=settings), pages.clock)
    visitor = other.logged_in(OWNER)
    visitor.go("/stores/acme/settings")
    visitor.send("/stores/acme/settings/alarms/test")

    assert "did not take the test notice" in visitor.text
