"""Audits of the hooks at Cratejoy, as beat and workers do them."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import structlog

from pipeline.cratejoy.credentials import Credentials
from pipeline.events.catalogue import EVENTS
from pipeline.infra import redis_keys
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import delete_store_api, find_store_api, save_store_api
from pipeline.ledger.stores import save_store
from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tasks import process, registration
from tests.tasks.inline_worker import fill_queue, take_all_messages


@pytest.fixture
def shop():
    with run_in_thread(Options("id", "secret")) as running:
        yield running


@pytest.fixture
def store_id(installed, shop):
    """A store that has just been connected, with keys for the sandbox store."""
    context = installed.process
    process._contexts[os.getpid()] = replace(context, settings=replace(context.settings, cratejoy_rate=1_000.0))
    with writing(context.engine) as conn:
        store_id = save_store(conn, "acme", context.now()).id
        config = Credentials("id", "secret", f"{shop.url}/v1/").as_config()
        save_store_api(conn, store_id, encrypt(context.settings.secret_keys, config), context.now())
    return store_id


def found(installed, store_id):
    with reading(installed.process.engine) as conn:
        return find_store_api(conn, store_id)


def started():
    return [tuple(message.args) for message in take_all_messages("backfill")]


def test_a_store_that_was_just_connected_is_synced(store_id):
    registration.sweep()

    assert started() == [(store_id,)]


@pytest.mark.usefixtures("store_id")
def test_while_no_backfill_worker_runs_audits_do_not_pile_up():
    fill_queue("backfill")
    registration.sweep()

    assert "registration.tend" not in {message.task for message in take_all_messages("backfill")}


def test_no_second_sync_of_a_store_is_started(installed, store_id):
    installed.process.redis.set(redis_keys.registration_lease(store_id), "another")
    registration.sweep()

    assert started() == []


def test_a_sync_registers_the_hooks_and_the_store_is_not_due_for_an_hour(shop, store_id):
    registration.sync_hooks(store_id)
    registration.sweep()

    assert started() == []
    assert sorted(row["event"] for row in shop.world.state.rows("hooks")) == sorted(EVENTS)


def test_what_goes_wrong_is_in_the_ledger_and_no_failure_of_the_task(installed, shop, store_id):
    shop.world.options = Options("id", "another secret")
    registration.sync_hooks(store_id)
    registration.sweep()

    assert found(installed, store_id).status == "refused"
    assert started() == []


def test_a_store_whose_keys_have_gone_is_named_by_its_id_in_the_log(installed, store_id):
    with writing(installed.process.engine) as conn:
        delete_store_api(conn, store_id)
    with structlog.testing.capture_logs() as lines:
        registration.sync_hooks(store_id)

    (line,) = lines
    assert line["reason"] == f"store {store_id} is connected without Cratejoy's Client ID and Secret"
