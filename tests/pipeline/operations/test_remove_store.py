"""The removal of a store, step by step, against a sandbox store."""

from __future__ import annotations

import shutil

import pytest

from pipeline.cratejoy.factory import build_client
from pipeline.events.catalogue import EVENTS
from pipeline.infra import redis_keys
from pipeline.infra.crypto.encryption import encrypt
from pipeline.infra.http.client import HTTPClient
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.removals import call_off_removal, find_removal, list_open_removals, request_removal
from pipeline.ledger.revocations import load_token_versions
from pipeline.ledger.schema import core
from pipeline.ledger.store_apis import find_store_api, save_store_api
from pipeline.ledger.stores import find_store, rotate_token, save_store
from pipeline.operations.remove_store import advance_removal, list_remaining_hooks
from pipeline.recording.load_stores import load_stores_by_name
from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tests.contexts import make_context
from tests.pipeline.ledger.rows import add_connection, add_person
from tests.pipeline.sandbox_store import AMPLE_PER_S, Clock, StoreControl

URL = "https://hooks.example.com"
UNTIL = 10**18


@pytest.fixture
def running():
    with run_in_thread(Options("id", "secret", seed=7)) as running:
        yield StoreControl(running)


@pytest.fixture
def engine(migrated_sqlite, tmp_path):
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    engine = make_engine(f"sqlite:///{tmp_path}/ledger.db")
    yield engine
    engine.dispose()


@pytest.fixture
def context(engine):
    return make_context(engine, now=Clock(), public_url=URL, cratejoy_rate=AMPLE_PER_S)


@pytest.fixture
def store(context, running):
    with writing(context.engine) as conn:
        store = save_store(conn, "acme", context.now())
        keys = encrypt(context.settings.secret_keys, running.credentials().as_config())
        save_store_api(conn, store.id, keys, context.now())
        add_person(conn, store.id)
        add_connection(conn, store.id)
    return store


def api(context, running):
    return build_client(running.credentials(), context.redis, http=HTTPClient(), per_second=AMPLE_PER_S)


def request(context, store, *, leaves_hooks=False):
    with writing(context.engine) as conn:
        request_removal(conn, store.id, context.now(), leaves_hooks=leaves_hooks)


def finish(context, store):
    while not (progress := advance_removal(context, store.id, UNTIL)).done and not progress.trouble:
        pass
    return progress


def test_a_removed_store_leaves_nothing_but_its_name(context, store):
    request(context, store)
    finish(context, store)

    with reading(context.engine) as conn:
        assert find_store(conn, "acme") is None
        assert conn.execute(core.Account.__table__.select()).all() == []
        assert list_open_removals(conn) == []


def test_hooks_of_a_removed_store_are_refused(context, store):
    request(context, store)
    finish(context, store)

    with reading(context.engine) as conn:
        assert load_token_versions(conn)["acme"].has_revoked(store.token_version, context.now())


def test_a_new_store_of_the_same_name_gets_other_urls(context, store):
    request(context, store)
    finish(context, store)
    with writing(context.engine) as conn:
        again = save_store(conn, "acme", context.now())

    assert again.token_version == store.token_version + 1


def test_while_rows_are_deleted_nothing_is_recorded_for_the_store(context, store):
    request(context, store)
    advance_removal(context, store.id, 0)

    with reading(context.engine) as conn:
        assert load_stores_by_name(conn, ["acme"]) == {}
        assert find_store_api(conn, store.id) is None
        assert find_removal(conn, store.id).is_deleting


def test_an_interrupted_removal_is_finished_by_the_next_call(context, store):
    request(context, store)
    advance_removal(context, store.id, 0)

    assert finish(context, store).done


def test_hooks_at_cratejoy_are_deleted_and_others_stay(context, store, running):
    hooks = api(context, running)
    hook = {"name": "x", "event": "order_new", "request_type": "POST"}
    ours = hooks.create("hooks", {**hook, "target": f"{URL}/hooks/acme/1.x/order_new"})
    others = hooks.create("hooks", {**hook, "target": "https://other.example.com/in"})
    request(context, store)
    finish(context, store)
    left = {one["id"] for one in hooks.page("hooks").results}

    assert (ours["id"] in left, others["id"] in left) == (False, True)


def test_an_unreachable_cratejoy_keeps_the_store(context, store, running):
    running.fault(status=503)
    request(context, store)
    progress = finish(context, store)

    assert "503" in progress.trouble
    with reading(context.engine) as conn:
        assert find_store(conn, "acme") is not None
        assert list_remaining_hooks(conn, store.id) == sorted(EVENTS)


def test_hooks_may_be_left_at_an_unreachable_cratejoy(context, store, running):
    running.fault(status=503)
    request(context, store, leaves_hooks=True)

    assert finish(context, store).done


def test_a_removal_that_is_called_off_registers_the_hooks_again(context, store, running):
    running.fault(status=503)
    request(context, store)
    finish(context, store)
    with writing(context.engine) as conn:
        assert call_off_removal(conn, store.id, context.now())
        assert find_store_api(conn, store.id).registers
        assert find_removal(conn, store.id) is None


def test_a_store_whose_hooks_were_registered_by_hand_needs_consent_to_leave_them(context, engine):
    with writing(engine) as conn:
        store = save_store(conn, "by-hand", context.now())
    request(context, store)

    assert "not saved" in finish(context, store).trouble


def test_what_is_being_sent_is_waited_for(context, store):
    request(context, store, leaves_hooks=True)
    context.redis.set(redis_keys.lane_lease(1, 0), "a sender")

    assert not advance_removal(context, store.id, UNTIL).done


def test_old_urls_of_a_rotated_store_stay_revoked_in_its_successor(context, store):
    with writing(context.engine) as conn:
        rotate_token(conn, store.id, context.now() + 10**12)
    request(context, store, leaves_hooks=True)
    finish(context, store)
    with writing(context.engine) as conn:
        again = save_store(conn, "acme", context.now())

    assert again.token_version == store.token_version + 2
