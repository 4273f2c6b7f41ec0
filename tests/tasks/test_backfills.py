"""Backfills as beat and workers take them, and a worker killed in the middle of one."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace

import pytest
import structlog
from sqlalchemy import update

from pipeline.backfill.schedule import start_backfill
from pipeline.core.consent import COMMAND_LINE
from pipeline.cratejoy.credentials import Credentials
from pipeline.infra import redis_keys
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.backfills import find_last_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.store_apis import save_store_api, set_hook_registration
from pipeline.ledger.stores import find_store
from pipeline.operations.consent import set_marketplace_policy
from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tasks import backfills, process
from tests.pipeline.sandbox_store import StoreControl
from tests.servers.worker import worker
from tests.tasks.inline_worker import fill_queue, run_all, take_all_messages
from tests.waiting import wait_until

RATE = 100.0


@pytest.fixture
def shop():
    with run_in_thread(Options("id", "secret", seed=7)) as running:
        yield StoreControl(running)


@pytest.fixture
def store_id(installed, shop):
    """A connected store whose hooks are not registered, with a backfill to run."""
    context = installed.process
    process._contexts[os.getpid()] = replace(context, settings=replace(context.settings, cratejoy_rate=RATE))
    installed.connect({"site_id": "s", "api_key": "k", "base_url": "http://127.0.0.1:9"})
    config = Credentials("id", "secret", shop.base_url).as_config()
    with writing(context.engine) as conn:
        store = find_store(conn, "acme")
        save_store_api(conn, store.id, encrypt(context.settings.secret_keys, config), context.now())
        set_hook_registration(conn, store.id, context.now(), registers=False)
        set_marketplace_policy(conn, store.id, "forward", COMMAND_LINE, context.now())  # its orders show sources
    start_backfill(context.engine, store.id, "all", context.now())
    return store.id


def row_of(installed, store_id):
    with reading(installed.process.engine) as conn:
        return find_last_backfill(conn, store_id)


def change(installed, **values):
    with writing(installed.process.engine) as conn:
        conn.execute(update(Backfill).values(values))


def list_sent(installed):
    return sorted(row.message["customer_id"] for row in installed.rows(core.Delivery))


def test_the_sweep_resumes_an_overdue_step(installed, store_id):
    due = installed.process.now() - 2 * backfills.OVERDUE_AFTER_US
    change(installed, next_step_at=due)
    backfills.sweep()

    (message,) = take_all_messages("backfill")
    assert (message.task, message.args) == ("backfills.step", [row_of(installed, store_id).id, due])


def in_a_moment():
    """The next message for the backfill workers."""
    return wait_until(lambda: take_all_messages("backfill"))


@pytest.mark.usefixtures("store_id")
def test_while_no_backfill_worker_runs_steps_do_not_pile_up(installed):
    change(installed, next_step_at=installed.process.now() - 2 * backfills.OVERDUE_AFTER_US)
    fill_queue("backfill")
    backfills.sweep()

    assert "backfills.step" not in {message.task for message in take_all_messages("backfill")}


def test_a_sweep_resumes_steps_that_will_be_overdue_before_the_next(installed, store_id):
    """As if the worker who was to take it had been killed meanwhile."""
    due = installed.process.now() + backfills.SWEEP_AHEAD_US - 2 * backfills.OVERDUE_AFTER_US
    change(installed, next_step_at=due)
    backfills.sweep()

    assert [message.args for message in in_a_moment()] == [[row_of(installed, store_id).id, due]]


def test_a_killed_workers_lease_is_waited_for(installed, store_id):
    row = row_of(installed, store_id)
    installed.process.redis.set(redis_keys.backfill_lease(row.id), "killed", px=300)
    due = installed.process.now() - 2 * backfills.OVERDUE_AFTER_US
    change(installed, next_step_at=due)
    backfills.sweep()

    assert [message.args for message in in_a_moment()] == [[row.id, due]]


def test_a_step_that_was_taken_after_all_is_not_planned_again(installed, store_id):
    due = installed.process.now() - 2 * backfills.OVERDUE_AFTER_US
    change(installed, next_step_at=due + 1)
    backfills._resume(row_of(installed, store_id).id, due)

    assert take_all_messages("backfill") == []


@pytest.mark.parametrize("why", ["planned for later", "held by another worker", "paused"])
def test_the_sweep_leaves_alone(installed, store_id, why):
    row = row_of(installed, store_id)
    change(installed, next_step_at=row.started_at - 2 * backfills.OVERDUE_AFTER_US)
    if why == "planned for later":
        change(installed, next_step_at=installed.process.now() + 60_000_000)
    if why == "held by another worker":
        # A second look comes when the lease runs out, and must not come while this test's servers are being closed.
        installed.process.redis.set(redis_keys.backfill_lease(row.id), "another", px=3_600_000)
    if why == "paused":
        change(installed, state="paused")
    backfills.sweep()

    assert take_all_messages("backfill") == []


def test_one_message_reads_all_customers_if_no_step_has_to_wait(installed, store_id, shop):
    customers = shop.people(20)
    backfills.step(row_of(installed, store_id).id, row_of(installed, store_id).next_step_at)
    run_all("backfill")

    assert (row_of(installed, store_id).state, list_sent(installed)) == ("done", sorted(customers))


def test_a_step_that_has_to_wait_for_a_moment_comes_back_by_itself(installed, store_id, shop):
    """Without a sweep, without a worker that waits, and without the broker's doing."""
    context = installed.process
    process._contexts[os.getpid()] = replace(context, settings=replace(context.settings, cratejoy_rate=4.0))
    backfills.step(row_of(installed, store_id).id, row_of(installed, store_id).next_step_at)
    waiting = row_of(installed, store_id)
    messages = in_a_moment()

    assert (waiting.state, [message.args for message in messages]) == ("running", [[waiting.id, waiting.next_step_at]])


def test_the_daily_pass_begins_a_day_later(installed, store_id):
    day = 24 * 3600 * 1_000_000
    change(installed, state="done", started_at=installed.process.now() - day, ended_at=installed.process.now())
    backfills.daily()

    assert (row_of(installed, store_id).kind, row_of(installed, store_id).state) == ("incremental", "running")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_worker_costs_a_page_and_no_customer_is_missing_or_sent_twice(installed, store_id, shop, tmp_path):
    customers = shop.people(60)
    shop.switch(max_limit=5)
    shop.fault(latency=0.05)
    environment = {**installed.environment, "CRATEWIRE_CRATEJOY_RATE": str(RATE)}

    def until(done, running):
        wait_until(done, lambda: running.said, meanwhile=backfills.sweep, interval_s=0.2)

    with worker(environment, tmp_path / "worker.log", concurrency=1, queues="backfill") as first:
        until(lambda: row_of(installed, store_id).pages > 5, first)
        first.kill()
    with worker(environment, tmp_path / "worker.log", "another", concurrency=1, queues="backfill") as second:
        until(lambda: row_of(installed, store_id).state == "done", second)

    asked = Counter(shop.asked())
    assert list_sent(installed) == sorted(customers)
    assert asked.total() - len(asked) <= 1


def test_the_log_warns_when_the_store_refuses_its_keys(installed, shop, store_id):
    shop.running.world.options = Options("id", "another secret")
    row = row_of(installed, store_id)

    with structlog.testing.capture_logs() as lines:
        backfills.step(row.id, row.next_step_at)

    [warned] = [line for line in lines if line["log_level"] == "warning"]
    assert (warned["event"], warned["backfill"], warned["store"]) == ("a backfill must wait", row.id, store_id)
    assert "refused the Client ID and Secret" in warned["reason"]
