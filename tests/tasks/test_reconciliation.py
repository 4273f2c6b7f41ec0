"""Passes over stores' APIs, as beat and workers do them. The sandbox store's time is ahead of ours."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import structlog
from sqlalchemy import update

from pipeline.cratejoy.credentials import Credentials
from pipeline.inbox import stream
from pipeline.infra import metrics, redis_keys
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.reconciliation import Reconciliation
from pipeline.ledger.store_apis import save_store_api
from pipeline.ledger.stores import find_store
from sandbox.store.server import run_in_thread
from sandbox.store.shop import customers
from sandbox.store.world import Options
from tasks import process, reconciliation
from tests.installation import order_hook
from tests.tasks.inline_worker import fill_queue, take_all_messages


@pytest.fixture
def shop():
    with run_in_thread(Options("id", "secret", start="2037-03-01T09:00:00Z")) as running:
        yield running


@pytest.fixture
def context(installed):
    """The context of this process, with a budget that is never used up and no grace for hooks."""
    settings = replace(installed.process.settings, cratejoy_rate=1_000.0, reconcile_grace_seconds=0.0)
    process._contexts[os.getpid()] = replace(installed.process, settings=settings)
    return process._contexts[os.getpid()]


@pytest.fixture
def store_id(installed, context, shop, track):
    """A store that was connected a while ago, with keys for the sandbox store."""
    installed.connect(track.config)
    with writing(context.engine) as conn:
        store = find_store(conn, "acme")
        config = Credentials("id", "secret", f"{shop.url}/v1/").as_config()
        save_store_api(
            conn,
            store.id,
            encrypt(context.settings.secret_keys, config),
            context.now() - reconciliation.FIRST_RUN_DELAY_US,
        )
    return store.id


def started():
    return [tuple(message.args) for message in take_all_messages("backfill")]


def make_due(context):
    with writing(context.engine) as conn:
        conn.execute(update(Reconciliation).values(next_at=0))


def test_a_store_that_was_connected_is_taken_up_and_compared(store_id):
    reconciliation.tidy()
    reconciliation.sweep()

    assert started() == [(store_id,)]


def test_a_compared_store_is_not_due_for_an_hour(store_id):
    reconciliation.tidy()
    reconciliation.reconcile_store(store_id)
    reconciliation.sweep()

    assert started() == []


def test_a_store_that_is_being_compared_is_left_alone(context, store_id):
    reconciliation.tidy()
    context.redis.set(redis_keys.reconciliation_lease(store_id), "another")
    reconciliation.sweep()

    assert started() == []


@pytest.mark.usefixtures("store_id")
def test_while_no_backfill_worker_runs_passes_do_not_pile_up():
    fill_queue("backfill")
    reconciliation.tidy()
    reconciliation.sweep()

    assert "reconciliation.run" not in {message.task for message in take_all_messages("backfill")}


def test_nothing_is_compared_by_itself_if_the_setting_says_never(context, store_id):
    process._contexts[os.getpid()] = replace(context, settings=replace(context.settings, reconcile_seconds=0.0))
    reconciliation.tidy()
    reconciliation.sweep()

    assert started() == []


def test_while_old_hooks_wait_in_the_inbox_nothing_is_started(context, store_id):
    stream.add(context.redis, order_hook(1))
    reconciliation.tidy()
    reconciliation.sweep()

    assert started() == []


def test_what_is_recovered_is_recorded_counted_and_its_lane_is_woken(installed, context, store_id, shop):
    missed = metrics.MISSED_HOOKS._value.get()
    reconciliation.tidy()
    reconciliation.reconcile_store(store_id)
    customers.register(shop.world.shop)  # no hook is registered for it
    make_due(context)
    reconciliation.reconcile_store(store_id)

    assert [row.source for row in installed.rows(core.Event)] == ["reconcile"]
    assert metrics.MISSED_HOOKS._value.get() == missed + 1
    assert [message.task for message in take_all_messages("deliveries")] == ["deliveries.forward"]


def test_a_store_whose_keys_are_gone_is_no_failure_of_the_task(store_id):
    reconciliation.reconcile_store(store_id + 1)

    assert started() == []


def test_the_log_warns_when_the_store_refuses_its_keys(store_id, shop):
    reconciliation.tidy()
    shop.world.options = Options("id", "another secret")

    with structlog.testing.capture_logs() as lines:
        reconciliation.reconcile_store(store_id)

    [warned] = [line for line in lines if line["log_level"] == "warning"]
    assert (warned["event"], warned["store"]) == ("a list of a store's API could not be read", store_id)
    assert "refused the Client ID and Secret" in warned["reason"]
