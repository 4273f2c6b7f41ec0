"""The keys of a store on its settings page: each is changed alone, and checked before it is saved."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from pipeline.infra.crypto.encryption import decrypt, encrypt
from pipeline.ledger.connections import list_store_connections, pause_connection
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries.audit import list_actions
from pipeline.ledger.schema.core import Call, StoreConnection
from pipeline.ledger.store_apis import build_api_identity, find_store_api, save_store_api
from receiver.pages.connect.credential_check import MAX_TRIES_PER_TARGET
from tests.receiver.pages.browser import PagesInstallation

OWNER = "bea@example.com"
KEYS = "/stores/acme/settings/keys"


@pytest.fixture
def shop(pages: PagesInstallation, cratejoy, customerio):
    """A store that is connected to both sandboxes."""
    store_id = pages.store("acme", pages.member(OWNER))
    keys, now = pages.site.settings.secret_keys, pages.site.now()
    config = {"client_id": "an-id", "client_secret": "a-secret", "base_url": f"{cratejoy.url}/v1/"}
    with writing(pages.site.engine) as conn:
        save_store_api(conn, store_id, encrypt(keys, config, build_api_identity(store_id)), now)
        [row] = list_store_connections(conn, store_id)
        sealed = encrypt(keys, {**customerio.config, "unsubscribe_refusers": "no"}, row.identity)
        conn.execute(StoreConnection.__table__.update().values(config=sealed, account="1"))
    return store_id


@pytest.fixture
def outdated(pages, shop):
    """The same store, with a saved secret and API key that are no longer right."""
    keys = pages.site.settings.secret_keys
    with writing(pages.site.engine) as conn:
        api, [row] = find_store_api(conn, shop), list_store_connections(conn, shop)
        config = decrypt(keys, api.config, api.identity) | {"client_secret": "an-old-secret"}
        save_store_api(conn, shop, encrypt(keys, config, api.identity), pages.site.now())
        config = decrypt(keys, row.config, row.identity) | {"api_key": "an-old-key"}
        conn.execute(StoreConnection.__table__.update().values(config=encrypt(keys, config, row.identity)))
    return shop


def saved(pages, store_id):
    keys = pages.site.settings.secret_keys
    with reading(pages.site.engine) as conn:
        api, [row] = find_store_api(conn, store_id), list_store_connections(conn, store_id)
    return decrypt(keys, api.config, api.identity), decrypt(keys, row.config, row.identity)


def change(pages, place, key, **typed):
    visitor = pages.logged_in(OWNER)
    visitor.go(f"{KEYS}/{place}/{key}")
    visitor.send(f"{KEYS}/{place}/{key}", **typed)
    return visitor


def errors_on(visitor):
    return dict(re.findall(r'id="(\w+)-errors" role="alert"><li>(.*?)</li>', visitor.page))


def test_the_settings_say_of_each_key_whether_it_works_and_show_no_secret(pages, shop, customerio):
    with writing(pages.site.engine) as conn:
        call = {"method": "POST", "endpoint": "/", "items": 1, "duration_us": 1, "connection_id": 1, "error": None}
        conn.execute(Call.__table__.insert().values(**call, status=200, started_at=pages.site.now() - 12_000_000))
        conn.execute(Call.__table__.insert().values(**call, status=500, started_at=pages.site.now()))
    visitor = pages.logged_in(OWNER)
    visitor.go("/stores/acme/settings")

    assert "works Used 12 s ago" in visitor.text
    assert "Workspace 1 in the" in visitor.text
    assert "an-id" in visitor.text
    assert [secret for secret in ("a-secret", customerio.config["api_key"]) if secret in visitor.page] == []


def test_one_key_is_asked_for_and_no_other(pages, shop):
    visitor = pages.logged_in(OWNER)
    visitor.go(f"{KEYS}/1/api_key")

    fields = re.findall(r'<input id="(\w+)"', visitor.page)
    assert fields == ["api_key"]


def test_a_key_that_is_refused_is_not_saved_and_the_error_is_beside_it(pages, shop):
    before = saved(pages, shop)
    visitor = change(pages, "1", "api_key", api_key="wrong")

    assert visitor.status == 422
    assert errors_on(visitor) == {"api_key": "Customer.io refused these keys. Copy them again."}
    assert saved(pages, shop) == before


def test_a_key_that_is_taken_is_saved_alone_and_a_refused_connection_resumes(pages, outdated, customerio):
    with writing(pages.site.engine) as conn:
        pause_connection(conn, 1, "credentials_refused", pages.site.now())
    api, connection = saved(pages, outdated)
    visitor = change(pages, "1", "api_key", api_key=customerio.config["api_key"])

    assert "API key is saved. Customer.io takes it." in visitor.text
    assert saved(pages, outdated) == (api, connection | {"api_key": customerio.config["api_key"]})
    with reading(pages.site.engine) as conn:
        assert conn.execute(select(StoreConnection.status)).scalar_one() == "active"
        [action] = list_actions(conn, None)
    assert (action.action, action.email, action.about) == ("connection.key_changed", OWNER, {"connection": 1})


def test_cratejoys_secret_is_changed_alone(pages, outdated):
    api, connection = saved(pages, outdated)
    visitor = change(pages, "cratejoy", "client_secret", client_secret="a-secret")

    assert "Client Secret is saved. Cratejoy takes it." in visitor.text
    assert saved(pages, outdated) == (api | {"client_secret": "a-secret"}, connection)


def test_a_client_id_that_does_not_fit_the_saved_secret_is_not_saved(pages, shop):
    before = saved(pages, shop)
    visitor = change(pages, "cratejoy", "client_id", client_id="another-id")

    assert "Cratejoy refused this pair" in errors_on(visitor)["client_secret"]
    assert saved(pages, shop) == before


@pytest.mark.parametrize(
    ("place", "key", "secret"), [("cratejoy", "base_url", "client_secret"), ("1", "base_url", "api_key")]
)
def test_no_saved_secret_goes_to_another_address(pages, shop, place, key, secret):
    before = saved(pages, shop)
    visitor = change(pages, place, key, **{key: "http://127.0.0.1:1/v1/"})

    assert (visitor.status, list(errors_on(visitor))) == (422, [key])
    assert "another address" in errors_on(visitor)[key]
    assert saved(pages, shop) == before


@pytest.mark.parametrize("path", ["1/region", "1/nothing", "2/api_key", "x/api_key"])
def test_a_key_that_there_is_not_is_not_found(pages, shop, path):
    visitor = pages.logged_in(OWNER)
    visitor.go(f"{KEYS}/{path}")

    assert visitor.status == 404


def test_an_empty_key_is_said_to_be_missing(pages, shop):
    assert errors_on(change(pages, "1", "api_key", api_key=" ")) == {"api_key": "API key is missing."}


def test_a_connection_is_paused_and_resumed_on_the_page(pages, shop):
    visitor = pages.logged_in(OWNER)
    visitor.go("/stores/acme/settings")
    visitor.send("/stores/acme/connections/1/pause")
    paused = visitor.text
    visitor.send("/stores/acme/connections/1/resume")

    assert ("Messages wait, and none is lost" in paused, "Resumed." in visitor.text) == (True, True)


def test_a_further_workspace_is_connected_under_a_label_of_its_own(pages, shop, customerio):
    visitor = pages.logged_in(OWNER)
    visitor.go("/stores/acme/connections/new/customerio")
    keys = {key: customerio.config[key] for key in ("site_id", "api_key", "base_url")}
    visitor.send("/stores/acme/connections/new/customerio", label="", **keys)
    again = errors_on(visitor)
    visitor.send("/stores/acme/connections/new/customerio", label="news", **keys)

    with reading(pages.site.engine) as conn:
        rows = [(row.label, row.account) for row in list_store_connections(conn, shop)]
    assert "Connected. New events go there too" in visitor.text
    assert rows == [("", "1"), ("news", "1")]
    assert "has a connection with this label already" in again["label"]


def test_keys_cannot_be_guessed_with_the_form_of_a_further_workspace(pages, shop, customerio):
    tries = pages.app.extensions["cratewire.tries"]
    for _ in range(MAX_TRIES_PER_TARGET):
        tries.count(None, f"store {shop}")
    visitor = pages.logged_in(OWNER)
    visitor.go("/stores/acme/connections/new/customerio")
    keys = {key: customerio.config[key] for key in ("site_id", "api_key", "base_url")}

    visitor.send("/stores/acme/connections/new/customerio", label="news", **keys)

    assert "Please wait a minute" in visitor.text
