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
def shop(house):
    account = house.member(OWNER)
    house.member(ROBIN, account, "reader")
    house.store("acme", account)
    return account


def switch(house, names, **fields):
    visitor = house.logged_in(OWNER)
    visitor.go("/stores/acme/settings")
    visitor.send("/stores/acme/settings/events", on=names, **fields)
    return visitor


def stored(house):
    with reading(house.site.engine) as conn:
        return find_store(conn, "acme")


def test_an_event_is_switched_off_and_another_on(house, shop):
    visitor = switch(house, [name for name in DEFAULT if name != "order_new"] + ["shipment_address_updated"])
    store = stored(house)

    assert "It holds for events that arrive from now on." in visitor.text
    assert (store.not_forwarded, store.forward_also, store.forward_tests) == (
        ("order_new",),
        ("shipment_address_updated",),
        False,
    )
    with reading(house.site.engine) as conn:
        [action] = list_actions(conn, [shop])
    assert action.about == {"on": ["shipment_address_updated"], "off": ["order_new"], "tests": "false"}


def test_saving_what_is_set_changes_nothing(house, shop):
    assert "Nothing was changed." in switch(house, DEFAULT).text
    with reading(house.site.engine) as conn:
        assert list_actions(conn, [shop]) == []


def test_test_orders_have_a_switch_of_their_own(house, shop):
    switch(house, DEFAULT, tests="yes")

    assert (stored(house).forward_tests, stored(house).not_forwarded) == (True, None)


def test_an_event_that_there_is_not_is_refused(house, shop):
    assert "Nothing was changed. No such event" in switch(house, [*DEFAULT, "order_imagined"]).text


def test_a_reader_sees_the_switches_and_cannot_save_them(house, shop):
    page = house.logged_in(ROBIN).go("/stores/acme/settings")

    assert page.count('role="switch"') == sum(bool(row.buyer) for row in EVENTS.values())
    assert page.count("disabled") == page.count('role="switch"') + 1
    assert "/settings/keys/" not in page


def test_a_preview_without_an_event_says_so(house, shop):
    visitor = house.logged_in(ROBIN)
    visitor.go("/stores/acme/settings/events/order_new")
    says = visitor.text
    visitor.go("/stores/acme/settings/events/order_imagined")

    assert ("no such event in this shop yet" in says, visitor.status) == (True, 404)


def test_a_test_alarm_goes_to_the_owners(house, shop):
    with reading(house.site.engine) as conn:
        assert list_owner_emails(conn, shop) == [OWNER]
    visitor = house.logged_in(OWNER)
    visitor.go("/stores/acme/settings")
    visitor.send("/stores/acme/settings/alarms/test")

    assert f"A test alarm is on its way to {OWNER}." in visitor.text
    assert [(mail.recipient, mail.subject) for mail in house.mail()] == [(OWNER, "A test alarm of Cratewire")]


def test_test_alarms_are_limited(house, shop):
    visitor = house.logged_in(OWNER)
    for _ in range(6):
        visitor.go("/stores/acme/settings")
        visitor.send("/stores/acme/settings/alarms/test")

    assert "too many test alarms" in visitor.text


def test_a_notice_address_that_does_not_answer_is_reported(house, shop):
    settings = replace(house.site.settings, alarm_url="http://127.0.0.1:1/")
    other = PagesInstallation.of(replace(house.site, settings=settings), house.clock)
    visitor = other.logged_in(OWNER)
    visitor.go("/stores/acme/settings")
    visitor.send("/stores/acme/settings/alarms/test")

    assert "did not take the test notice" in visitor.text
