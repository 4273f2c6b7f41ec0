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
def pause(house, track):
    """Connects acme, which is paused for a reason then, with these keys; its store's id."""

    def paused(reason=REFUSED, **config):
        account = house.member(HERS)
        house.member(READERS, account, "reader")
        store = house.store("acme", account)
        sealed = encrypt(house.site.settings.secret_keys, {**track.config, **config})
        with writing(house.site.engine) as conn:
            conn.execute(update(StoreConnection).values(config=sealed, account="3"))
            pause_connection(conn, 1, reason, house.site.now())
        return store

    return paused


def state(house, store):
    with reading(house.site.engine) as conn:
        [link] = list_store_connections(conn, store)
    return link.status


def pressed(house, email=HERS):
    visitor = house.logged_in(email)
    visitor.go("/account")  # has a form, and so a token, for all users
    visitor.send("/stores/acme/resume")
    return visitor


def test_keys_that_are_taken_again_let_it_go_on(house, pause):
    store = pause()
    pressed(house)

    assert state(house, store) == "active"


def test_keys_that_are_still_refused_leave_it_paused_and_it_is_said(house, pause):
    store = pause(api_key="an-old-one")
    visitor = pressed(house)

    assert state(house, store) == "paused"
    assert "Customer.io stays paused. Customer.io refused the Site ID and API key (401)." in visitor.text


def test_an_owner_is_offered_it_and_a_reader_is_not(house, pause):
    pause()

    assert [BUTTON in house.logged_in(email).go("/stores/acme") for email in (HERS, READERS)] == [True, False]


def test_a_reader_cannot_do_it_either(house, pause):
    store = pause()

    assert (pressed(house, READERS).status, state(house, store)) == (403, "paused")


def test_what_was_paused_by_hand_is_not_for_the_owner_to_resume(house, pause):
    store = pause(MANUAL_PAUSE)

    assert BUTTON not in pressed(house).go("/stores/acme")
    assert state(house, store) == "paused"


def test_a_store_of_another_account_is_not_found(house, pause):
    pause()
    house.member("carl@example.com")

    assert pressed(house, "carl@example.com").status == 404


@pytest.fixture
def cratejoy():
    with run_in_thread(Options("an-id", "a-secret")) as running:
        yield running


def refused_by_cratejoy(house, cratejoy, secret):
    """A store whose keys Cratejoy has refused; these are saved."""
    store = house.store("acme", house.member(HERS))
    keys = Credentials("an-id", secret, f"{cratejoy.url}/v1/").as_config()
    with writing(house.site.engine) as conn:
        save_store_api(conn, store, encrypt(house.site.settings.secret_keys, keys), house.site.now())
        record_key_check(conn, store, "Cratejoy refused the Client ID and Secret (401)", house.site.now())
    return store


@pytest.mark.parametrize(("secret", "status"), [("a-secret", "active"), ("another", "refused")])
def test_after_cratejoy_refused_keys_its_owner_has_them_tried_again(house, cratejoy, secret, status):
    store = refused_by_cratejoy(house, cratejoy, secret)

    visitor = pressed(house)

    with reading(house.site.engine) as conn:
        assert find_store_api(conn, store).status == status
    assert ("Cratejoy stays paused." in visitor.text) == (status == "refused")
    assert ("Try the saved keys again" in visitor.text) == (status == "refused")


def test_keys_cannot_be_guessed_with_the_button(house, pause):
    store = pause()
    tries = house.app.extensions["cratewire.tries"]
    for _ in range(MAX_TRIES_PER_TARGET):
        tries.count(None, f"store {store}")

    assert "Please wait a minute" in pressed(house).text
    assert state(house, store) == "paused"


def test_stores_that_need_attention_come_first(house, pause):
    pause()
    with writing(house.site.engine) as conn:
        account = conn.execute(select(Store.account_id)).scalar_one()
    house.store("aardvark", account)

    page = house.logged_in(HERS).go("/")

    assert page.index('href="/stores/acme"') < page.index('href="/stores/aardvark"')


def test_a_refused_connection_is_said_once(house, pause):
    store = pause()
    said = {"headline": "acme: Customer.io refuses the connection", "effect": "Nothing is sent.", "to_do": ""}
    alarm = NewAlarm("platform_keys_refused", store, subject="acme/customerio", said=said)
    with writing(house.site.engine) as conn:
        open_alarm(conn, alarm, house.site.now())

    page = house.logged_in(HERS).go("/stores/acme")

    assert page.count('class="card attention needs-you"') + page.count('class="card needs-you"') == 1
    assert page.count("Try the saved keys again") == 1
