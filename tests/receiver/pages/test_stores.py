"""The status at Cratejoy on a store's page: pending, done or failed."""

from __future__ import annotations

from functools import partial

import pytest

from pipeline.ledger.connections import find_connection
from pipeline.ledger.deliveries import acquire_lane, postpone_lane
from pipeline.ledger.engine import writing
from pipeline.ledger.hook_findings import record_fix_failure, replace_findings
from pipeline.ledger.schema.core import Account
from pipeline.ledger.store_apis import record_audit, record_key_check, save_store_api, set_hook_registration
from pipeline.ledger.stores import save_store
from tests.pipeline.ledger.rows import NOW, add_dead_hook, add_deliveries, add_person

HERS, READERS = "bea@example.com", "robin@example.com"


@pytest.fixture
def account(pages):
    made = pages.member(HERS)
    pages.member(READERS, made, "reader")
    return made


@pytest.fixture
def store_id(pages, account):
    return pages.store("acme", account)


def write(pages, *steps):
    with writing(pages.site.engine) as conn:
        return [step(conn) for step in steps][-1]


def seen(pages, email=HERS):
    visitor = pages.logged_in(email)
    visitor.go("/stores/acme")
    return visitor.text


def missing(event):
    return {"event": event, "kind": "missing", "remedy": "create", "hook_id": None, "target_host": None}


def test_hooks_are_being_registered_until_an_audit_has_seen_them(pages, store_id):
    write(pages, lambda conn: save_store_api(conn, store_id, b"sealed", pages.site.now()))

    assert "being registered" in seen(pages)


def test_all_is_well_once_an_audit_finds_nothing(pages, store_id):
    now = pages.site.now()
    write(
        pages,
        lambda conn: save_store_api(conn, store_id, b"sealed", now),
        lambda conn: replace_findings(conn, store_id, [], now, now),
    )

    assert "17 of 17 hooks registered at Cratejoy." in seen(pages)


def test_hooks_that_were_removed_are_not_called_registered(pages, store_id):
    now = pages.site.now()
    write(
        pages,
        lambda conn: save_store_api(conn, store_id, b"sealed", now),
        lambda conn: set_hook_registration(conn, store_id, now, registers=False),
        lambda conn: replace_findings(conn, store_id, [], now, now),
    )

    assert "The hooks at Cratejoy were removed, so no hook arrives." in seen(pages)


def test_a_store_without_keys_shows_why_its_customers_are_not_read(pages, store_id):
    assert "Cratejoy's Client ID and Client Secret are missing" in seen(pages)


def test_why_it_takes_long_is_said_and_that_it_goes_on(pages, store_id):
    now = pages.site.now()
    write(
        pages,
        lambda conn: save_store_api(conn, store_id, b"sealed", now),
        lambda conn: record_audit(conn, store_id, now, now, "the store's API answered 500"),
    )

    shown = seen(pages)
    assert "The store's API answered 500." in shown
    assert "continues automatically" in shown


def test_keys_that_are_refused_are_asked_for_again(pages, store_id):
    now = pages.site.now()
    write(
        pages,
        lambda conn: save_store_api(conn, store_id, b"sealed", now),
        lambda conn: record_key_check(conn, store_id, "the store's API refused the keys", now),
    )

    assert "Needs you" in seen(pages)
    assert "The store's API refused the keys." in seen(pages)


def test_a_hook_that_cratejoy_refuses_is_named(pages, store_id):
    now = pages.site.now()
    write(
        pages,
        lambda conn: save_store_api(conn, store_id, b"sealed", now),
        lambda conn: replace_findings(conn, store_id, [missing("order_new")], now, now),
        lambda conn: record_fix_failure(conn, 1, "the store's API answered 400"),
    )

    assert "order_new: the store's API answered 400" in seen(pages)


def test_an_owner_is_led_to_the_form_with_what_is_known(pages, account):
    name = write(pages, lambda conn: conn.execute(Account.__table__.select().where(Account.id == account)).one().name)
    write(pages, lambda conn: save_store(conn, "acme", pages.site.now(), account=name, currency="EUR"))

    visitor = pages.logged_in(HERS)
    visitor.go("/connect?store=acme")

    assert 'value="acme"' in visitor.page
    assert 'value="EUR"' in visitor.page


def test_nothing_of_others_is_filled_in(pages):
    pages.store("acme", pages.member("eve@example.com"))
    pages.member(HERS)

    page = pages.logged_in(HERS).go("/connect?store=acme")

    assert 'value="acme"' not in page


def test_a_reader_is_not_led_to_the_form(pages, store_id):
    assert ("New keys" in seen(pages), "New keys" in seen(pages, READERS)) == (True, False)


def dead_hooks(pages, store, number):
    write(pages, *(partial(add_dead_hook, number=one, store=store) for one in range(number)))


@pytest.mark.parametrize(("number", "said"), [(1, "1 hook could not be read"), (12, "12 hooks could not be read")])
def test_unreadable_hooks_are_counted_and_shown(pages, store_id, number, said):
    dead_hooks(pages, "acme", number)

    assert said in seen(pages)


def test_without_unreadable_hooks_no_fault_is_shown(pages, store_id):
    dead_hooks(pages, "other", 1)

    assert "could not be read" not in seen(pages)


def test_why_messages_wait_and_since_when_is_said(pages, account, store_id):
    def postpone(conn):
        link = find_connection(conn, 1)
        add_deliveries(conn, link, add_person(conn, store_id))
        postpone_lane(conn, acquire_lane(conn, link.id, 0, NOW), NOW, 1, "timeout while reading")

    write(pages, postpone)

    pages.clock[0] = NOW + 120_000_000

    text = seen(pages)
    assert "Catching up 1 message waits, the oldest for 2 min" in text
    assert "The last attempt failed: timeout while reading." in text
