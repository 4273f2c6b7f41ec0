"""Passes over stores' APIs, as beat and workers do them. The sandbox store's time is ahead of ours."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import structlog
from sqlalchemy import update

from pipeline import keys, metrics
from pipeline.cratejoy.credentials import Credentials
from pipeline.inbox import stream
from pipeline.ledger import tables
from pipeline.ledger.engine import writing
from pipeline.ledger.reconciliation_tables import Reconciliation
from pipeline.ledger.store_apis import save_api
from pipeline.ledger.stores import find_store
from pipeline.secrets import seal
from sandbox.store.server import serving
from sandbox.store.shop import customers
from sandbox.store.world import Options
from tasks import process, reconciliation
from tests.installation import order_hook
from tests.tasks.by_hand import leave_alone, take_all


@pytest.fixture
def shop():
    with serving(Options("id", "secret", start="2037-03-01T09:00:00Z")) as running:
        yield running


@pytest.fixture
def here(installed):
    """This process, with a budget that is never used up and no grace for hooks."""
    settings = replace(installed.process.settings, cratejoy_rate=1_000.0, reconcile_grace_seconds=0.0)
    process._made[os.getpid()] = replace(installed.process, settings=settings)
    return process._made[os.getpid()]


@pytest.fixture
def store_id(installed, here, shop, track):
    """A store that was connected a while ago, with keys for the sandbox store."""
    installed.connect(track.config)
    with writing(here.engine) as db:
        store = find_store(db, "acme")
        config = Credentials("id", "secret", f"{shop.url}/v1/").as_config()
        save_api(db, store.id, seal(here.settings.secret_keys, config), here.now() - reconciliation.SETTLED)
    return store.id


def started():
    return [tuple(message.args) for message in take_all("backfill")]


def make_due(here):
    with writing(here.engine) as db:
        db.execute(update(Reconciliation).values(next_at=0))


def test_a_store_that_was_connected_is_taken_up_and_compared(store_id):
    reconciliation.tidy()
    reconciliation.sweep()

    assert started() == [(store_id,)]


def test_a_store_that_was_compared_rests_for_an_hour(store_id):
    reconciliation.tidy()
    reconciliation.run(store_id)
    reconciliation.sweep()

    assert started() == []


def test_a_store_that_is_being_compared_is_left_alone(here, store_id):
    reconciliation.tidy()
    here.redis.set(keys.reconciliation_lease(store_id), "somebody")
    reconciliation.sweep()

    assert started() == []


@pytest.mark.usefixtures("store_id")
def test_while_no_backfill_worker_runs_passes_do_not_pile_up():
    leave_alone("backfill")
    reconciliation.tidy()
    reconciliation.sweep()

    assert "reconciliation.run" not in {message.task for message in take_all("backfill")}


def test_nothing_is_compared_by_itself_if_the_setting_says_never(here, store_id):
    process._made[os.getpid()] = replace(here, settings=replace(here.settings, reconcile_seconds=0.0))
    reconciliation.tidy()
    reconciliation.sweep()

    assert started() == []


def test_while_old_hooks_wait_in_the_inbox_nothing_is_started(here, store_id):
    stream.add(here.redis, order_hook(1))
    reconciliation.tidy()
    reconciliation.sweep()

    assert started() == []


def test_what_is_recovered_is_recorded_counted_and_its_lane_is_woken(installed, here, store_id, shop):
    missed = metrics.MISSED._value.get()
    reconciliation.tidy()
    reconciliation.run(store_id)
    customers.register(shop.world.shop)  # no hook is registered to tell of it
    make_due(here)
    reconciliation.run(store_id)

    assert [row.source for row in installed.rows(tables.Event)] == ["reconcile"]
    assert metrics.MISSED._value.get() == missed + 1
    assert [message.task for message in take_all("deliveries")] == ["deliveries.forward"]


def test_a_store_whose_keys_are_gone_is_no_failure_of_the_task(store_id):
    reconciliation.run(store_id + 1)

    assert started() == []


def test_the_log_warns_when_the_store_refuses_its_keys(store_id, shop):
    reconciliation.tidy()
    shop.world.options = Options("id", "another secret")

    with structlog.testing.capture_logs() as lines:
        reconciliation.run(store_id)

    [warned] = [one for one in lines if one["log_level"] == "warning"]
    assert (warned["event"], warned["store"]) == ("a list of a store's API could not be read", store_id)
    assert "refused the Client ID and Secret" in warned["reason"]
