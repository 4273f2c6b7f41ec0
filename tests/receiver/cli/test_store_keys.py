"""Single keys, and which events are sent, on the command line."""

from __future__ import annotations

import pytest

from pipeline.infra.crypto.encryption import decrypt, encrypt
from pipeline.ledger.connections import list_all_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import build_api_identity, find_store_api, save_store_api
from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tests.installation import order_hook

KEYS = {"client_id": "an-id", "client_secret": "a-secret"}


@pytest.fixture
def acme(installed, track):
    """A store connected to a platform."""
    installed.connect(track.config)
    return installed


@pytest.fixture
def with_api(acme):
    """The same, with keys of Cratejoy, the secret of which is no longer right."""
    process = acme.process
    with run_in_thread(Options(**KEYS)) as running:
        config = {**KEYS, "client_secret": "an-old-secret", "base_url": f"{running.url}/v1/"}
        with writing(process.engine) as conn:
            sealed = encrypt(process.settings.secret_keys, config, build_api_identity(1))
            save_store_api(conn, 1, sealed, process.now())
        yield acme


def config_of(installed):
    with reading(installed.process.engine) as conn:
        [row] = list_all_connections(conn)
    return decrypt(installed.process.settings.secret_keys, row.config, row.identity)


def api_config_of(installed):
    with reading(installed.process.engine) as conn:
        row = find_store_api(conn, 1)
    return decrypt(installed.process.settings.secret_keys, row.config, row.identity)


def test_one_key_of_a_connection_is_checked_and_saved(shell, acme, track):
    track.api_key, before = "key-2", config_of(acme)
    refused = shell.complaint("connections", "change-key", "--store", "acme", "--api-key", "wrong")
    document = shell.json("connections", "change-key", "--store", "acme", "--api-key", "key-2")

    assert "refused" in refused
    assert (document["changed"], document["region"]) == (["api_key"], "us")
    assert config_of(acme) == {**before, "api_key": "key-2", "unsubscribe_refusers": "no"}


def test_connections_are_listed_with_what_they_were_last_used_for(shell, acme):
    [row] = shell.json("connections", "list")

    assert (row["store"], row["platform"], row["status"], row["used_at"]) == ("acme", "customerio", "active", None)
    assert "never" in shell.said("connections", "list")


def test_one_key_of_cratejoy_is_checked_and_saved(shell, with_api):
    refused = shell.complaint("stores", "change-key", "acme", "--client-secret", "wrong")
    before = api_config_of(with_api)
    shell.said("stores", "change-key", "acme", "--client-secret", "a-secret")

    assert "Cratejoy refused" in refused
    assert (before["client_secret"], api_config_of(with_api)) == (
        "an-old-secret",
        before | {"client_secret": "a-secret"},
    )


def test_no_saved_secret_of_cratejoy_goes_to_another_address(shell, with_api):
    says = shell.complaint("stores", "change-key", "acme", "--cratejoy-url", "http://127.0.0.1:1/v1/")

    assert "enter Client Secret too" in says


def test_without_a_key_nothing_is_changed(shell, acme):
    assert "give the key" in shell.complaint("connections", "change-key", "--store", "acme", code=2)
    assert "connected without" in shell.complaint("stores", "change-key", "acme", "--client-id", "x")
    assert "no such connection" in shell.complaint(
        "connections", "change-key", "--store", "acme", "--label", "x", "--api-key", "y"
    )


def test_events_are_switched_and_the_change_is_in_the_log(shell, acme):
    shell.said("stores", "events", "acme", "--keep", "order_new", "--send", "shipment_address_updated")
    document = shell.json("stores", "events", "acme", "--forward-tests")

    sent = {row["event"]: row["is_sent"] for row in document["events"]}
    assert (sent["order_new"], sent["shipment_address_updated"], document["forward_tests"]) == (False, True, True)
    assert [row["action"] for row in shell.json("accounts", "log")] == ["store.events_changed"] * 2


def test_an_event_that_is_switched_off_is_kept_and_not_sent(shell, acme):
    shell.said("stores", "events", "acme", "--keep", "order_new")
    acme.record(order_hook(1))

    [event] = shell.json("events", "list")
    assert (event["name"], event["outcome"]) == ("order_new", "recorded")


def test_the_preview_shows_what_would_be_sent_of_the_newest_event(shell, acme):
    acme.record(order_hook(1))
    preview = shell.json("stores", "events", "acme", "--preview", "order_new")
    [event] = shell.json("events", "list")

    assert preview["event_id"] == event["id"]
    [(role, data)] = preview["copies"]
    assert (role, data["subject_id"]) == ("customer", event["subject_id"])
    assert "to the customer" in shell.said("stores", "events", "acme", "--preview", "order_new")
    assert "There was no customer_new" in shell.said("stores", "events", "acme", "--preview", "customer_new")
