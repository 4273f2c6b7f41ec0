"""Which field of the connect form shows which error, and that nothing is saved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.context import build_context
from pipeline.core.errors import WrongAddress
from pipeline.cratejoy.credentials import Credentials
from pipeline.cratejoy.factory import open_client
from receiver.demo.scenario import call_sandbox
from receiver.pages.connect.credential_check import (
    MAX_TRIES_PER_NETWORK,
    MAX_TRIES_PER_TARGET,
    CredentialTries,
    FormRejected,
)
from receiver.pages.connect.form import build_form
from tests.builders import NOW
from tests.receiver.pages.browser import PagesInstallation
from tests.receiver.pages.connect.forms import NO_ROWS, counts, errors_on, send
from tests.servers.process import free_port

WRONG = [
    ({"store": "Ácme!"}, "store"),
    ({"store": ""}, "store"),
    ({"store": "a c me!"}, "store"),
    ({"store": "acme/../other"}, "store"),
    ({"currency": "Euro"}, "currency"),
    ({"client_id": ""}, "client_id"),
    ({"client_id": "a:b"}, "client_id"),
    ({"client_secret": "another"}, "client_secret"),
    ({"cratejoy_url": "http://192.0.2.1/v1/"}, "cratejoy_url"),
    ({"customerio-site_id": ""}, "customerio-site_id"),
    ({"customerio-api_key": "another"}, "customerio-api_key"),
    ({"customerio-base_url": "nowhere"}, "customerio-base_url"),
    ({"customerio-base_url": "http://10.0.0.1"}, "customerio-base_url"),
    ({"customerio-base_url": "http://127.0.0.1:1"}, "customerio-base_url"),
    ({"email": "bea"}, "email"),
    ({"password": "short"}, "password"),
]


@pytest.mark.parametrize(("change", "field"), WRONG)
def test_what_is_wrong_is_said_next_to_its_field_and_nothing_is_saved(pages, filled_in, change, field):
    page = send(pages.visitor(), filled_in | change)

    assert list(errors_on(page)) == [field]
    assert counts(pages) == NO_ROWS


def test_a_region_that_was_not_asked_for_is_not_listened_to(pages, filled_in):
    other = {"us": "eu", "eu": "us"}[filled_in["customerio-region"]]
    visitor = pages.visitor()

    page = send(visitor, filled_in | {"customerio-region": other})

    assert (errors_on(page), visitor.where) == ({}, "/connected")


def test_a_cratejoy_that_is_away_is_said_so(pages, filled_in):
    page = send(pages.visitor(), filled_in | {"cratejoy_url": f"http://127.0.0.1:{free_port()}/v1/"})

    assert "does not answer" in errors_on(page)["cratejoy_url"]


def test_an_address_without_a_merchant_api_is_named_and_no_key_is_blamed(pages, filled_in, cratejoy):
    page = send(pages.visitor(), filled_in | {"cratejoy_url": f"{cratejoy.url}/v2/"})

    assert errors_on(page) == {"cratejoy_url": "There is no Merchant API at this address (404). It ends in /v1/."}


def test_an_address_without_a_platform_is_named_and_no_key_is_blamed(pages, filled_in, cratejoy):
    page = send(pages.visitor(), filled_in | {"customerio-base_url": cratejoy.url})

    assert errors_on(page) == {"customerio-base_url": "There is no Track API at this address (404)."}


def test_saved_addresses_that_are_not_public_are_not_called_once_trying_out_is_off(pages, filled_in):
    closed = build_context(replace(pages.site.settings, connect_anywhere=False), pages.site.engine, pages.site.redis)
    keys = Credentials("an-id", "a-secret", filled_in["cratejoy_url"])

    with pytest.raises(WrongAddress, match="not public"):
        open_client(closed, keys).check()


def test_a_cratejoy_that_asks_to_wait_is_obeyed(pages, filled_in, cratejoy):
    call_sandbox(f"{cratejoy.url}/_sandbox/faults", {"status": 429, "times": 1, "retry_after": 7})

    page = send(pages.visitor(), filled_in)

    assert "wait" in errors_on(page)["submit"]


def guess(pages, filled_in, peer):
    """The page after as many wrong secrets as are allowed, and after one more."""
    visitor = pages.visitor(peer)
    answers = [send(visitor, filled_in | {"client_secret": "another"}) for _ in range(MAX_TRIES_PER_TARGET + 1)]
    return [list(errors_on(page)) for page in answers[-2:]]


@pytest.mark.parametrize("peer", ["11.0.0.1", "127.0.0.1"])
def test_keys_cannot_be_guessed_through_us(pages, filled_in, peer):
    assert guess(pages, filled_in, peer) == [["client_secret"], ["submit"]]


def test_guessing_keys_does_not_block_other_networks(pages, filled_in):
    guess(pages, filled_in, "11.0.0.1")
    visitor = pages.visitor("11.0.0.2")

    send(visitor, filled_in)

    assert visitor.where == "/connected"


def test_one_network_tries_so_many_pairs_a_minute():
    tries = CredentialTries(lambda: NOW)
    for number in range(MAX_TRIES_PER_NETWORK):
        tries.count("11.0.0.1/32", f"Client ID {number}")

    with pytest.raises(FormRejected):
        tries.count("11.0.0.1/32", "another Client ID")
    tries.count("11.0.0.2/32", "another Client ID")


def test_strangers_are_not_asked_where_to_connect_to(pages, filled_in):
    closed = PagesInstallation.of(
        replace(pages.site, settings=replace(pages.site.settings, connect_anywhere=False)), pages.clock
    )

    page = closed.visitor().go("/connect")

    assert "cratejoy_url" not in page
    assert "customerio-base_url" not in page


def test_an_address_that_was_not_asked_for_is_not_listened_to(pages, filled_in):
    with pages.app.test_request_context("/connect", method="POST", data=filled_in):
        form = build_form(None, anywhere=False)

    assert "base_url" not in form.config()


def test_where_only_the_invited_may_come_the_form_asks_to_log_in(pages):
    closed = PagesInstallation.of(
        replace(pages.site, settings=replace(pages.site.settings, registration="invited")), pages.clock
    )

    visitor = closed.visitor()
    visitor.go("/connect")

    assert visitor.where == "/login"


def test_the_form_says_what_to_do_at_cratejoy_and_at_the_platform(pages):
    visitor = pages.visitor()
    visitor.go("/connect")

    assert "generate a new key" in visitor.text
    assert "Track API keys" in visitor.text
