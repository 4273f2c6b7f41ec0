"""Connecting a store again: only what changes must be entered, and no saved secret is shown."""

from __future__ import annotations

import pytest

from pipeline.infra.crypto.encryption import decrypt, encrypt
from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import find_store_api, save_store_api
from pipeline.ledger.stores import find_store
from tests.receiver.pages.browser import PagesInstallation
from tests.receiver.pages.connect.forms import EMAIL, errors_on, send


def saved(pages: PagesInstallation) -> tuple[dict[str, str], dict[str, str]]:
    keys = pages.site.settings.secret_keys
    with reading(pages.site.engine) as conn:
        store = find_store(conn, "acme")
        [link] = list_store_connections(conn, store.id)
        return dict(decrypt(keys, find_store_api(conn, store.id).config)), dict(decrypt(keys, link.config))


@pytest.fixture
def owner(pages, filled_in):
    visitor = pages.visitor()
    send(visitor, filled_in)
    visitor.press(pages.mail()[0].links[0])
    return visitor


def drawn(visitor, filled_in):
    """The values of the form as it is shown, without secrets."""
    visitor.go("/connect?store=acme")
    names = ("store", "currency", "client_id", "cratejoy_url", "customerio-site_id", "customerio-base_url")
    return {name: filled_in[name] for name in names if f'value="{filled_in[name]}"' in visitor.page}


def test_all_but_secrets_is_filled_in_and_no_secret_is_shown(owner, filled_in):
    found = drawn(owner, filled_in)

    assert len(found) == 6
    assert filled_in["client_secret"] not in owner.page
    assert filled_in["customerio-api_key"] not in owner.page
    assert "Saved: leave this empty" in owner.page


def test_one_key_is_changed_by_typing_it_alone(pages, owner, filled_in):
    api, connection = saved(pages)
    keys = pages.site.settings.secret_keys
    with writing(pages.site.engine) as conn:
        outdated = encrypt(keys, api | {"client_secret": "an-old-secret"})
        save_store_api(conn, find_store(conn, "acme").id, outdated, pages.site.now())
    region = filled_in["customerio-region"]

    chosen = {"platform": "customerio", "customerio-region": region}
    owner.send(**drawn(owner, filled_in), **chosen, client_secret="a-secret")

    assert owner.where == "/stores/acme"
    assert saved(pages) == (api | {"client_secret": "a-secret"}, connection)


@pytest.mark.parametrize(
    ("field", "secret"), [("cratejoy_url", "client_secret"), ("customerio-base_url", "customerio-api_key")]
)
def test_no_saved_secret_goes_to_another_address(owner, filled_in, field, secret):
    form = drawn(owner, filled_in) | {name: filled_in[name] for name in ("platform", "customerio-region")}

    page = owner.send(**form | {field: "http://127.0.0.1:1/v1/"})

    assert list(errors_on(page)) == [secret]


def test_a_store_of_another_account_reveals_no_key(pages, owner, filled_in):
    pages.member("eve@example.com")
    eve = pages.logged_in("eve@example.com")
    eve.go("/connect?store=acme")

    page = eve.send(store="acme", currency="EUR", cratejoy_url=filled_in["cratejoy_url"])

    assert {"client_id", "client_secret"} <= set(errors_on(page))
    assert filled_in["client_id"] not in page


def test_where_mails_are_is_said_without_a_mail_server(pages, filled_in):
    visitor = pages.visitor()
    send(visitor, filled_in | {"email": EMAIL})

    assert str(pages.site.settings.data_dir / "mail") in visitor.text
