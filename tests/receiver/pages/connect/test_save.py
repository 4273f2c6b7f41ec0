"""What a connect form saves, for whom, and how often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select, update

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.core import Store, StoreConnection
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.ledger.stores import save_store
from tests.receiver.pages.browser import PASSWORD
from tests.receiver.pages.connect.forms import EMAIL, NO_ROWS, counts, errors_on, send


def test_the_form_connects_a_store_and_makes_an_account(pages, filled_in):
    visitor = pages.visitor()
    send(visitor, filled_in)

    assert visitor.where == "/connected"
    assert counts(pages) == dict.fromkeys(NO_ROWS, 1)


def test_after_confirming_the_store_is_there_without_another_log_in(pages, filled_in):
    visitor = pages.visitor()
    send(visitor, filled_in | {"email": EMAIL.upper()})
    visitor.press(pages.mail()[0].links[0])

    assert (visitor.where, "acme" in visitor.text) == ("/", True)


def test_the_hooks_are_due_for_registering_once_it_is_saved(pages, filled_in):
    send(pages.visitor(), filled_in)

    with reading(pages.site.engine) as conn:
        assert conn.execute(select(StoreAPI.audit_at, StoreAPI.registers)).one() == (pages.site.now(), True)


def test_no_key_is_stored_unencrypted(pages, filled_in):
    send(pages.visitor(), filled_in)

    pages.site.engine.dispose()
    kept = b"".join(path.read_bytes() for path in pages.site.settings.data_dir.glob("cratewire.db*"))
    assert not [key for key in ("a-secret", filled_in["customerio-api_key"], PASSWORD) if key.encode() in kept]


def test_the_same_form_sent_twice_connects_once_and_says_so_both_times(pages, filled_in):
    visitor = pages.visitor()
    page = visitor.go("/connect")
    for _ in range(2):
        visitor.page, visitor.where = page, "/connect"
        visitor.send(**filled_in)

    assert visitor.where == "/connected"
    assert counts(pages) == dict.fromkeys(NO_ROWS, 1)


def test_the_same_form_sent_twice_at_once_is_no_fault(pages, filled_in):
    visitor = pages.visitor()
    page = visitor.go("/connect")
    again = pages.visitor()
    again.share(visitor)

    def press(who):
        who.page, who.where = page, "/connect"
        who.send(**filled_in)
        return who.where

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(press, (visitor, again))) == ["/connected", "/connected"]
    assert counts(pages) == dict.fromkeys(NO_ROWS, 1)


def test_another_form_for_the_same_address_is_not_taken_for_the_same(pages, filled_in):
    send(pages.visitor(), filled_in)

    page = send(pages.visitor(), filled_in | {"store": "other"})

    assert "Log in first" in errors_on(page)["email"]


def test_an_address_that_has_an_account_is_asked_to_log_in(pages, filled_in):
    pages.user(EMAIL)

    page = send(pages.visitor(), filled_in)

    assert "Log in first" in errors_on(page)["email"]
    assert counts(pages)["stores"] == 0


def test_the_store_of_another_merchant_cannot_be_taken_over(pages, filled_in):
    pages.store("acme", pages.member("eve@example.com"))

    page = send(pages.visitor(), filled_in)

    assert "taken" in errors_on(page)["store"]
    assert counts(pages)["users"] == 1


def test_a_store_of_the_command_line_cannot_be_taken_over_either(pages, filled_in):
    with writing(pages.site.engine) as conn:
        save_store(conn, "acme", pages.site.now())

    page = send(pages.visitor(), filled_in)

    assert "taken" in errors_on(page)["store"]


def test_who_is_logged_in_connects_without_an_account_being_made(pages, filled_in):
    pages.member(EMAIL)
    visitor = pages.logged_in(EMAIL)
    send(visitor, filled_in)

    assert visitor.where == "/stores/acme"
    assert counts(pages)["users"] == 1


def test_connecting_again_changes_the_connection(pages, filled_in):
    pages.member(EMAIL)
    visitor = pages.logged_in(EMAIL)
    send(visitor, filled_in)
    send(visitor, filled_in | {"currency": "USD"})

    assert (counts(pages)["stores"], counts(pages)["connections"]) == (1, 1)


def test_a_reader_connects_nothing_to_the_account_they_read(pages, filled_in):
    account = pages.member("eve@example.com")
    pages.member(EMAIL, account, "reader")
    send(pages.logged_in(EMAIL), filled_in)

    with reading(pages.site.engine) as conn:
        assert conn.execute(select(Store.account_id)).scalar_one() != account


def test_a_store_that_was_connected_with_a_label_keeps_its_one_connection(pages, filled_in):
    pages.store("acme", pages.member(EMAIL))
    with writing(pages.site.engine) as conn:
        conn.execute(update(StoreConnection).values(label="main"))

    visitor = pages.logged_in(EMAIL)
    send(visitor, {name: value for name, value in filled_in.items() if name not in ("email", "password")})

    with reading(pages.site.engine) as conn:
        assert conn.execute(select(StoreConnection.label, StoreConnection.account)).all() == [("main", "1")]


def test_keys_that_another_store_of_theirs_has_are_named_beside_the_client_id(pages, filled_in):
    pages.member(EMAIL)
    visitor = pages.logged_in(EMAIL)
    send(visitor, filled_in)

    page = send(visitor, filled_in | {"store": "other"})

    assert "store acme" in errors_on(page)["client_id"]
    assert counts(pages)["stores"] == 1


def test_keys_that_a_store_of_others_has_are_refused_without_its_name(pages, filled_in):
    send(pages.visitor(), filled_in)

    page = send(pages.visitor(), filled_in | {"store": "other", "email": "eve@example.com"})

    assert "Another account" in errors_on(page)["client_id"]
    assert "acme" not in errors_on(page)["client_id"]
    assert counts(pages)["users"] == 1
