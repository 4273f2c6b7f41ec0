"""What is checked before a connection is saved, and what is saved. The command has its own tests."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from pipeline.core.errors import BadCredentials, CratewireError, KeysInUse, Misconfigured, WrongRegion
from pipeline.cratejoy.credentials import Credentials
from pipeline.events.catalogue import EVENTS
from pipeline.infra.crypto import hook_tokens
from pipeline.infra.crypto.encryption import decrypt
from pipeline.infra.http.client import HTTPClient
from pipeline.ledger.backfills import advance_backfill, find_last_backfill, list_due_steps
from pipeline.ledger.connection_people import list_running
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.store_apis import delete_store_api
from pipeline.ledger.stores import find_store, rotate_token
from pipeline.operations.connect import ConnectRequest, CredentialChecks, connect
from tests.builders import HOUR, NOW
from tests.contracts.fake_track import fake_track

KEYS = ("the-newest-key-of-all", "the-key-before-it-was")
URL = "https://hooks.example.com"


@pytest.fixture
def track():
    with fake_track() as track:
        yield track


def connected(engine, config, store="acme", **more):
    return connect(
        engine, KEYS, URL, ConnectRequest(store, "customerio", config, **more), CredentialChecks(HTTPClient()), NOW
    )


def count(engine, model):
    with reading(engine) as conn:
        return len(conn.execute(model.__table__.select()).all())


def nothing_saved(engine):
    return count(engine, core.Store) == count(engine, core.StoreConnection) == 0


def test_every_event_has_a_url_whose_token_is_the_stores(engine, track):
    found = connected(engine, track.config)

    assert found.hooks.keys() == EVENTS.keys()
    for event, url in found.hooks.items():
        _, _, store, token, last = urlsplit(url).path.split("/")
        assert (store, last, hook_tokens.verify(KEYS, store, token)) == ("acme", event, 1)


def test_the_account_is_named_by_the_platform(engine, track):
    assert connected(engine, track.config).account == "3"


def test_the_checked_config_is_the_one_encrypted(engine, track):
    given = {key: value for key, value in track.config.items() if key != "region"}
    connected(engine, given)

    with reading(engine) as conn:
        (row,) = conn.execute(core.StoreConnection.__table__.select()).all()
    assert decrypt(KEYS, row.config)["region"] == "us"


def test_connecting_twice_is_one_connection(engine, track):
    first, second = connected(engine, track.config), connected(engine, track.config)

    assert first == second
    assert count(engine, core.StoreConnection) == 1


def test_a_store_may_have_settings_of_its_own(engine, track):
    settings = {"currency": "EUR", "forward_also": ("inventory_updated",), "forward_tests": True}
    connected(engine, track.config, store_settings=settings)

    with reading(engine) as conn:
        store = find_store(conn, "acme")
    assert (store.currency, store.forward_also, store.forward_tests) == ("EUR", ("inventory_updated",), True)


def test_urls_follow_the_stores_token_when_it_is_rotated(engine, track):
    before = connected(engine, track.config)
    with writing(engine) as conn:
        rotate_token(conn, before.store.id)

    after = connected(engine, track.config)

    assert not set(before.hooks.values()) & set(after.hooks.values())


def test_a_url_survives_a_new_secret_key(engine, track):
    found = connect(
        engine, KEYS[1:], URL, ConnectRequest("acme", "customerio", track.config), CredentialChecks(HTTPClient()), NOW
    )

    token = urlsplit(found.hooks["order_new"]).path.split("/")[3]
    assert hook_tokens.verify(KEYS, "acme", token) == 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"api_key": "wrong"}, BadCredentials),
        ({"region": "eu"}, WrongRegion),
        ({"region": "mars"}, Misconfigured),
        ({"site_id": ""}, Misconfigured),
        ({"base_url": "http://127.0.0.1:9"}, CratewireError),
        ({"base_url": "ftp://127.0.0.1"}, Misconfigured),
    ],
)
def test_refused_keys_are_not_saved(engine, track, change, error):
    with pytest.raises(error):
        connected(engine, {**track.config, **change})

    assert nothing_saved(engine)


@pytest.mark.parametrize("name", ["", "Acme", "acme!", "a b", "-acme", "a" * 64, "acme\n"])
def test_an_invalid_name_is_refused_before_any_call(engine, track, name):
    with pytest.raises(Misconfigured):
        connected(engine, track.config, store=name)

    assert (track.calls, nothing_saved(engine)) == ([], True)


def test_an_unknown_platform_is_refused_with_a_list_of_platforms(engine):
    with pytest.raises(Misconfigured, match="customerio"):
        connect(engine, KEYS, URL, ConnectRequest("acme", "mailmoose", {}), CredentialChecks(HTTPClient()), NOW)


def test_an_unknown_event_cannot_be_forwarded(engine, track):
    with pytest.raises(Misconfigured, match="order_newest"):
        connected(engine, track.config, store_settings={"forward_also": ("order_new", "order_newest")})

    assert nothing_saved(engine)


def test_no_error_and_no_repr_shows_a_credential(engine, track):
    wanted = {**track.config, "api_key": "very-secret-key"}

    with pytest.raises(BadCredentials) as caught:
        connected(engine, wanted)

    assert "very-secret" not in f"{caught.value!r}{caught.value}"
    assert track.api_key not in repr(connected(engine, track.config))


def test_with_cratejoys_keys_a_backfill_starts(engine, track):
    store = connected(engine, track.config, cratejoy=Credentials("id", "secret")).store

    with reading(engine) as conn:
        row = find_last_backfill(conn, store.id)
    assert (row.kind, row.state, row.next_step_at) == ("all", "running", NOW)


def test_new_keys_make_the_running_backfill_due_and_start_no_other(engine, track):
    first = connected(engine, track.config, cratejoy=Credentials("id", "secret")).store
    with writing(engine) as conn:
        advance_backfill(conn, find_last_backfill(conn, first.id), next_step_at=NOW + HOUR, error="refused")
    connected(engine, track.config, cratejoy=Credentials("id", "another secret"))

    with reading(engine) as conn:
        assert list_due_steps(conn, NOW) == [(find_last_backfill(conn, first.id).id, NOW)]


def test_without_cratejoys_keys_no_backfill_starts(engine, track):
    store = connected(engine, track.config).store

    with reading(engine) as conn:
        assert find_last_backfill(conn, store.id) is None


def test_keys_that_another_store_of_the_account_has_are_refused_and_the_store_is_named(engine, track):
    connected(engine, track.config, cratejoy=Credentials("id", "secret"))

    with pytest.raises(KeysInUse, match="store acme"):
        connected(engine, track.config, store="other", cratejoy=Credentials("id", "another secret"))
    assert count(engine, core.Store) == 1


def test_keys_that_another_account_has_are_refused_and_its_store_is_not_named(engine, track):
    connected(engine, track.config, cratejoy=Credentials("id", "secret"))

    with pytest.raises(KeysInUse) as refused:
        connected(engine, track.config, store="other", account="another", cratejoy=Credentials("id", "secret"))
    assert "acme" not in str(refused.value)


def test_another_store_of_cratejoys_is_connected_beside_it(engine, track):
    connected(engine, track.config, cratejoy=Credentials("id", "secret"))
    connected(engine, track.config, store="other", cratejoy=Credentials("another id", "secret"))
    connected(engine, track.config, store="third", cratejoy=Credentials("id", "secret", "http://127.0.0.1:1/v1/"))

    assert count(engine, core.Store) == 3


def test_keys_that_were_forgotten_may_be_used_by_another_store(engine, track):
    first = connected(engine, track.config, cratejoy=Credentials("id", "secret")).store
    with writing(engine) as conn:
        delete_store_api(conn, first.id)
    connected(engine, track.config, store="other", cratejoy=Credentials("id", "secret"))

    assert count(engine, core.Store) == 2


def people_running(engine):
    with reading(engine) as conn:
        return list_running(conn)


def test_a_platform_that_is_connected_later_gets_the_people_there_are(engine, track):
    first = connected(engine, track.config)
    assert people_running(engine) == []

    later = connected(engine, track.config, label="newsletter")

    assert people_running(engine) == [later.connection_id]
    assert later.connection_id != first.connection_id


def test_connecting_again_sends_no_people(engine, track):
    connected(engine, track.config)
    connected(engine, track.config)

    assert people_running(engine) == []


def test_people_can_be_left_out(engine, track):
    connected(engine, track.config)
    connected(engine, track.config, label="newsletter", sends_people=False)

    assert people_running(engine) == []
