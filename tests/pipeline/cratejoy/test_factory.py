"""The keys of a store in the ledger: sealed, opened, tried, forgotten."""

from __future__ import annotations

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.cratejoy.factory import open_store_client
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import (
    REFUSED,
    delete_store_api,
    find_store_api,
    list_stores_with_api,
    record_key_check,
    save_store_api,
)
from tests.contexts import make_context
from tests.pipeline.ledger.rows import NOW, add_store

KEYS = ("k" * 32,)


@pytest.fixture
def store_id(engine):
    with writing(engine) as conn:
        return add_store(conn).id


def save(engine, store_id, credentials, now=NOW):
    with writing(engine) as conn:
        save_store_api(conn, store_id, encrypt(KEYS, credentials.as_config()), now)


def found(engine, store_id):
    with reading(engine) as conn:
        return find_store_api(conn, store_id)


def test_a_store_is_opened_with_the_keys_that_were_saved(engine, redis, shop, store_id):
    save(engine, store_id, shop.credentials())

    open_store_client(make_context(engine, redis, secret_keys=KEYS, cratejoy_rate=100.0), store_id).check()


def test_a_store_without_keys_cannot_be_opened(engine, redis, store_id):
    with pytest.raises(Misconfigured, match="without"):
        open_store_client(make_context(engine, redis, secret_keys=KEYS), store_id)


def test_the_ledger_cannot_read_the_keys(engine, shop, store_id):
    save(engine, store_id, shop.credentials())

    row = found(engine, store_id)

    assert b"secret" not in row.config
    assert "config" not in repr(row)


def test_new_keys_leave_the_time_from_which_on_the_store_is_watched(engine, shop, store_id):
    save(engine, store_id, shop.credentials("old"))
    save(engine, store_id, shop.credentials("new"), NOW + 5)

    row = found(engine, store_id)

    assert (row.enabled_at, row.checked_at) == (NOW, NOW + 5)


def test_refused_keys_are_marked_until_new_ones_come(engine, shop, store_id):
    save(engine, store_id, shop.credentials())
    with writing(engine) as conn:
        record_key_check(conn, store_id, "Cratejoy refused the keys (401)", NOW + 1)
    refused = found(engine, store_id)
    save(engine, store_id, shop.credentials(), NOW + 2)

    assert (refused.status, refused.status_reason) == (REFUSED, "Cratejoy refused the keys (401)")
    assert (found(engine, store_id).status, found(engine, store_id).status_reason) == ("active", None)


def test_a_check_that_passed_clears_the_mark(engine, shop, store_id):
    save(engine, store_id, shop.credentials())
    with writing(engine) as conn:
        record_key_check(conn, store_id, "refused", NOW + 1)
        record_key_check(conn, store_id, None, NOW + 2)

    assert (found(engine, store_id).status, found(engine, store_id).checked_at) == ("active", NOW + 2)


def test_forgotten_keys_are_gone(engine, shop, store_id):
    save(engine, store_id, shop.credentials())
    with writing(engine) as conn:
        delete_store_api(conn, store_id)

    with reading(engine) as conn:
        assert list_stores_with_api(conn) == []
