"""A paused connection on a store's page, and the button that retries its keys."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from pipeline.cratejoy.credentials import Credentials
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.deliveries import pause_connection
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.alarms import open_alarm
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.ledger.schema.core import Store, StoreConnection
from pipeline.ledger.store_apis import find_store_api, record_key_check, save_store_api
from pipeline.operations.pause import MANUAL_PAUSE
from receiver.pages.connect.credential_check import MAX_TRIES_PER_TARGET
from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tests.contracts.fake_track import fake_track

HERS, READERS = "bea@example.com", "robin@example.com"
REFUSED = "the credentials were refused (401)"
BUTTON = "Try the saved keys again"


@pytest.fixture
def track():
    with fake_track() as track:
        yield track


@pytest.fixture
def pause(pages, track):
    """Connects acme, which is paused for a reason then, with these keys; its store's id."""

    def paused(reason=REFUSED, **config):
        account = pages.member(HERS)
        pages.member(READERS, account, "reader")
        store = pages.store("acme", account)
        sealed = encrypt(pages.site.settings.secret_keys, {**track.config, **config})
        with writing(pages.site.engine) as conn:
            conn.execute(update(StoreConnection).values(config=sealed, account="3"))
            pause_connection(conn, 1, reason, pages.site.now())
        return store

    return paused


def state(pages, store):
    with reading(pages.site.engine) as conn:
        [link] = list_store_connections(conn, store)
    return link.status


def pressed(pages, email=HERS):
    visitor = pages.logged_in(email)
    visitor.go("/account")  # has a form, and so a token, for all users
    visitor.send("/stores/acme/resume")
    return visitor


def test_keys_that_are_taken_again_let_it_go_on(pages, pause):
    store = pause()
    pressed(pages)

    assert state(pages, store) == "active"


def test_keys_that_are_still_refused_leave_it_paused_and_it_is_said(pages, pause):
    store = pause(api_key="an-old-one")
    visitor = pressed(pages)

    assert state(pages, store) == "paused"
    assert "Customer.io stays paused. Customer.io refused the Site ID and API key (401)." in visitor.text


def test_an_owner_is_offered_it_and_a_reader_is_not(pages, pause):
    pause()

    assert [BUTTON in pages.logged_in(email).go("/stores/acme") for email in (HERS, READERS)] == [True, False]


def test_a_reader_cannot_do_it_either(pages, pause):
    store = pause()

    assert (pressed(pages, READERS).status, state(pages, store)) == (403, "paused")


def test_what_was_paused_by_hand_is_not_for_the_owner_to_resume(pages, pause):
    store = pause(MANUAL_PAUSE)

    assert BUTTON not in pressed(pages).go("/stores/acme")
    assert state(pages, store) == "paused"


def test_a_store_of_another_account_is_not_found(pages, pause):
    pause()
    pages.member("carl@example.com")

    assert pressed(pages, "carl@example.com").status == 404


@pytest.fixture
def cratejoy():
    with run_in_thread(Options("an-id", "a-secret")) as running:
        yield running


def refused_by_cratejoy(pages, cratejoy, secret):
    """A store whose keys Cratejoy has refused; these are saved."""
    store = pages.store("acme", pages.member(HERS))
    keys = Credentials("an-id", secret, f"{cratejoy.url}/v1/").as_config()
    with writing(pages.site.engine) as conn:
        save_store_api(conn, store, encrypt(pages.site.settings.secret_keys, keys), pages.site.now())
        record_key_check(conn, store, "Cratejoy refused the Client ID and Secret (401)", pages.site.now())
    return store


@pytest.mark.parametrize(("secret", "status"), [("a-secret", "active"), ("another", "refused")])
def test_after_cratejoy_refused_keys_its_owner_has_them_tried_again(pages, cratejoy, secret, status):
    store = refused_by_cratejoy(pages, cratejoy, secret)

    visitor = pressed(pages)

    with reading(pages.site.engine) as conn:
        assert find_store_api(conn, store).status == status
    assert ("Cratejoy stays paused." in visitor.text) == (status == "refused")
    assert ("Try the saved keys again" in visitor.text) == (status == "refused")


def test_keys_cannot_be_guessed_with_the_button(pages, pause):
    store = pause()
    tries = pages.app.extensions["cratewire.tries"]
    for _ in range(MAX_TRIES_PER_TARGET):
        tries.count(None, f"store {store}")

    assert "Please wait a minute" in pressed(pages).text
    assert state(pages, store) == "paused"


def test_stores_that_need_attention_come_first(pages, pause):
    pause()
    with writing(pages.site.engine) as conn:
        account = conn.execute(select(Store.account_id)).scalar_one()
    pages.store("aardvark", account)

    page = pages.logged_in(HERS).go("/")

    assert page.index('href="/stores/acme"') < page.index('href="/stores/aardvark"')


def test_a_refused_connection_is_said_once(pages, pause):
    store = pause()
    said = {"headline": "acme: Customer.io refuses the connection", "effect": "Nothing is sent.", "to_do": ""}
    alarm = NewAlarm("platform_keys_refused", store, subject="acme/customerio", said=said)
    with writing(pages.site.engine) as conn:
        open_alarm(conn, alarm, pages.site.now())

    page = pages.logged_in(HERS).go("/stores/acme")

    assert page.count('class="card attention needs-you"') + page.count('class="card needs-you"') == 1
    assert page.count("Try the saved keys again") == 1
