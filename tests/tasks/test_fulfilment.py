"""The fulfilment as beat and workers take it, hints of hooks, and a worker that is killed while a box goes out."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from bench.warehouse_configs import KEYS, build_config
from pipeline.core.fulfilment import State
from pipeline.cratejoy.credentials import Credentials
from pipeline.fulfilment.set_up import build_report, connect_warehouse, go_live
from pipeline.infra import redis_keys
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import find_newest_order
from pipeline.ledger.fulfilment.work import NewWork, find_work, insert_work
from pipeline.ledger.schema.fulfilment import FulfilmentOrder, FulfilmentRun
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from pipeline.ledger.stores import find_store
from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from sandbox.warehouse.faults import Fault
from sandbox.warehouse.server import run_in_thread as run_warehouse
from tasks import fulfilment, process
from tasks.chain import start_chain
from tests.installation import make_hook
from tests.pipeline.sandbox_store import StoreControl
from tests.servers.worker import worker
from tests.tasks.inline_worker import fill_queue, run_all, take_all_messages
from tests.waiting import wait_until

RATE = 1_000.0
MINUTE_US = 60_000_000
SETTINGS = {"earliest_order_at": "2026-01-01", "cooling_off_signup_s": "0", "cooling_off_renewal_s": "0"}


@pytest.fixture
def shop():
    with run_in_thread(Options("id", "secret", seed=7)) as running:
        yield StoreControl(running)


@pytest.fixture
def warehouse():
    with run_warehouse(KEYS) as running:
        yield running


@pytest.fixture
def store_id(installed, shop, warehouse):
    """A connected store with a live warehouse, and nothing to send."""
    context = replace(installed.process, settings=replace(installed.process.settings, cratejoy_rate=RATE))
    process._contexts[os.getpid()] = context
    installed.connect({"site_id": "s", "api_key": "k", "base_url": "http://127.0.0.1:9"})
    with writing(context.engine) as conn:
        store_id = find_store(conn, "acme").id
        config = Credentials("id", "secret", shop.base_url).as_config()
        sealed = encrypt(context.settings.secret_keys, config, build_api_identity(store_id))
        save_store_api(conn, store_id, sealed, context.now())
    connect_warehouse(context, store_id, "cartrover", build_config("cartrover", warehouse.url), SETTINGS)
    fulfilment.sweep()
    run_all("fulfilment")
    with reading(context.engine) as conn:
        would_go = build_report(conn, store_id).would_go
    go_live(context, store_id, would_go)
    return store_id


def sell(shop):
    return shop.control("sales", {"billing": "ecom", "target": "2026-03-01T00:00:00Z"})["shipment_ids"][0]


def box_of(installed, store_id, shipment):
    with reading(installed.process.engine) as conn:
        return find_newest_order(conn, store_id, shipment)


def test_a_sweep_starts_what_is_due_and_nothing_twice(installed, store_id):
    fulfilment.sweep()
    first = [message.task for message in take_all_messages("fulfilment")]

    assert first == ["fulfilment.poll_tracking"]


def test_a_lane_that_was_started_again_before_it_was_taken_up_is_worked_on_once(installed, store_id):
    fulfilment.sweep()
    fulfilment.sweep()
    worked = run_all("fulfilment")

    assert worked == ["fulfilment.poll_tracking"] * 2
    with reading(installed.process.engine) as conn:
        runs = conn.execute(select(func.count()).where(FulfilmentRun.job == "tracking")).scalar_one()
    assert runs == 1


def test_a_sweep_has_what_a_person_asked_for_worked_on(installed):
    installed.connect({"site_id": "s", "api_key": "k", "base_url": "http://127.0.0.1:9"})
    with writing(installed.process.engine) as conn:
        store = find_store(conn, "acme").id
        work = insert_work(conn, NewWork(store, "forecast", "forecast 7", {"batch": 7}), COMMAND_LINE_ACTOR, 1)
    fulfilment.sweep()

    assert run_all("fulfilment") == ["fulfilment.work"]
    with reading(installed.process.engine) as conn:
        assert "no warehouse" in find_work(conn, store, work.id).reason


def test_no_messages_are_sent_to_a_queue_without_a_worker(installed, store_id):
    fill_queue("fulfilment")
    installed.process.redis.delete(redis_keys.queue_activity("fulfilment"))
    fulfilment.sweep()

    assert "fulfilment.poll_tracking" not in {message.task for message in take_all_messages("fulfilment")}


def test_a_hook_about_a_box_hints_at_it_and_nothing_of_the_hook_is_believed(installed, store_id, shop):
    shipment = sell(shop)
    body = b'{"id": %d, "status": "shipped", "tracking_number": "FORGED"}' % shipment
    take_all_messages("fulfilment")
    installed.receive(make_hook(body, event="shipment_shipped", received_at=installed.process.now()))
    start_chain()
    run_all("hooks")
    worked = run_all("fulfilment")

    assert worked == ["fulfilment.look_at"]
    assert box_of(installed, store_id, shipment).state is State.READY


def test_a_hook_of_a_store_without_a_warehouse_hints_at_nothing(installed):
    installed.connect({"site_id": "s", "api_key": "k", "base_url": "http://127.0.0.1:9"})
    installed.receive(make_hook(b'{"id": 7}', event="shipment_shipped"))
    start_chain()
    run_all("hooks")

    assert take_all_messages("fulfilment") == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_worker_that_is_killed_while_a_box_goes_out_leaves_one_order(installed, store_id, shop, warehouse, tmp_path):
    shipment = sell(shop)
    environment = {**installed.environment, "CRATEWIRE_CRATEJOY_RATE": str(RATE)}
    slow = {"match": "/cartrover/v1/cart/orders", "latency_ms": 700, "times": None}

    def state():
        row = box_of(installed, store_id, shipment)
        return None if row is None else row.state

    def hurry():
        """Ten minutes pass, in which the killed worker says nothing, and those between two look-ups."""
        earlier = {"state_at": FulfilmentOrder.state_at - 11 * MINUTE_US, "next_attempt_at": 0}
        earlier |= {"missed_at": FulfilmentOrder.missed_at - 6 * MINUTE_US}
        with writing(installed.process.engine) as conn:
            conn.execute(update(FulfilmentOrder).values(earlier))
        fulfilment.sweep()

    warehouse.world.faults.add(Fault.of(slow))
    fulfilment.wake_fulfilment([(store_id, "shipment", shipment)])
    with worker(environment, tmp_path / "worker.log", concurrency=1, queues="fulfilment") as first:
        wait_until(lambda: state() is State.SENDING, lambda: first.said, meanwhile=fulfilment.sweep, interval_s=0.05)
        first.kill()
    with worker(environment, tmp_path / "worker.log", "another", concurrency=1, queues="fulfilment") as second:
        wait_until(lambda: state() is State.AT_WAREHOUSE, lambda: second.said, meanwhile=hurry, interval_s=0.5)

    assert warehouse.world.floor.count()["orders"] == 1
