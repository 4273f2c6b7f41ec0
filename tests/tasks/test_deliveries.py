"""Which lanes are started, and what a run leaves for the next task."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from random import Random

import pytest
import structlog
from sqlalchemy import update

from pipeline.core.errors import Misconfigured
from pipeline.delivery.slow_lanes import acquire_slot
from pipeline.infra import redis_keys
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from tasks import deliveries, process
from tasks.chain import start_chain
from tests.contracts.fake_track import CannedAnswer
from tests.installation import make_hook, order_hook
from tests.tasks.inline_worker import run_all, take_all_messages, take_message


def record(installed, *hooks):
    """Record hooks in the ledger. Their deliveries wait, and no task was started."""
    installed.record(*hooks)


def starts():
    """Return the lanes for which a task was published."""
    return [tuple(message.args) for message in take_all_messages("deliveries") if message.task == "deliveries.run_lane"]


def statuses(installed):
    return [row.status for row in installed.rows(core.Delivery)]


def customers(count):
    return [order_hook(number, f"person-{number}@example.com", customer_id=number) for number in range(1, count + 1)]


def test_a_hook_arrives_at_the_platform(installed, track):
    installed.connect(track.config)
    installed.receive(order_hook(1))
    start_chain()

    assert (run_all("hooks"), take_all_messages("deliveries")) == (["hooks.decode"], [])
    assert statuses(installed) == ["sent", "sent"]
    assert [kind for call in track.calls for _, kind, _ in call.delivered()] == ["profile", "event"]


def test_the_log_leads_from_every_receipt_to_its_event_and_from_there_to_its_deliveries(installed, track):
    connection = installed.connect(track.config)
    hook, again, broken = order_hook(1), order_hook(1), make_hook(b"{")

    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        installed.receive(hook, again, broken)
        start_chain()
        run_all("hooks")
        run_all("deliveries")

    recorded, tried = (next(line for line in lines if line["event"] == said) for said in SAID)
    (event,) = installed.rows(core.Event)
    assert recorded["events"] == {hook.receipt: event.id}
    assert recorded["repeats"] == {again.receipt: event.id}
    assert recorded["dead"] == {broken.receipt: "not_json"}
    assert tried["connection"] == connection
    assert tried["sent"] == {row.id: event.id for row in installed.rows(core.Delivery)}


SAID = ("batch recorded", "deliveries tried")


def test_only_the_connections_of_the_batch_are_woken(installed, track):
    first, second = installed.connect(track.config), installed.connect(track.config, store="other")
    record(installed, order_hook(1), order_hook(1, store="other"))

    deliveries.forward([second])

    assert {row.connection_id for row in installed.rows(core.Delivery) if row.status == "sent"} == {second}
    assert first not in {connection for connection, _ in starts()}


def test_the_lanes_of_a_batch_are_delivered_in_its_task(installed, track):
    connection = installed.connect(track.config, lanes=3)
    record(installed, *customers(3))
    installed.process.redis.sadd(redis_keys.FAST_LANES, *(f"{connection}:{lane}" for lane in range(3)))

    deliveries.forward([connection])

    assert (starts(), set(statuses(installed))) == ([], {"sent"})


def test_every_further_slow_lane_gets_a_task_of_its_own(installed, track):
    connection = installed.connect(track.config, lanes=3)
    record(installed, *customers(3))

    deliveries.forward([connection])

    assert len(starts()) == 2
    assert statuses(installed).count("sent") == 2


def test_without_due_lanes_no_task_is_started(installed, track):
    deliveries.forward([installed.connect(track.config)])

    assert (starts(), track.calls) == ([], [])


def test_the_sweep_starts_what_is_due(installed, track):
    connection = installed.connect(track.config)
    record(installed, order_hook(1))

    deliveries.sweep()

    assert starts() == [(connection, 0)]


def test_the_sweep_does_not_start_a_held_lane(installed, track):
    connection = installed.connect(track.config)
    record(installed, order_hook(1))
    installed.process.redis.set(redis_keys.lane_lease(connection, 0), "another")

    deliveries.sweep()

    assert starts() == []


def test_a_lane_that_has_to_wait_is_left_until_its_time(installed, track):
    connection = installed.connect(track.config)
    record(installed, order_hook(1))
    track.next.append(CannedAnswer(429, headers={"Retry-After": "600"}))
    deliveries.run_lane_task(connection, 0)

    deliveries.sweep()

    assert starts() == []
    assert statuses(installed) == ["pending", "pending"]


def test_a_refused_credential_pauses_the_connection_and_its_messages_wait(installed, track):
    connection = installed.connect({**track.config, "api_key": "another"})
    record(installed, order_hook(1))

    deliveries.run_lane_task(connection, 0)

    (connection_row,) = installed.rows(core.StoreConnection)
    assert (connection_row.status, statuses(installed)) == ("paused", ["pending", "pending"])


def logged(said, *steps):
    """Return the log lines with this event, with their bound context."""
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        for step in steps:
            step()
    return [line for line in lines if line["event"] == said]


@pytest.mark.parametrize(
    ("canned", "reason"),
    [(CannedAnswer(503), "answered 503"), (CannedAnswer(drop=True), "connection broke off")],
)
def test_the_log_says_why_deliveries_are_put_off(installed, track, canned, reason):
    connection = installed.connect(track.config)
    record(installed, order_hook(1))
    track.next.append(canned)

    [tried] = logged("deliveries tried", lambda: deliveries.run_lane_task(connection, 0))

    assert (tried["reason"], len(tried["put_off"])) == (reason, 2)


def test_the_log_gives_no_reason_where_all_went_well(installed, track):
    connection = installed.connect(track.config)
    record(installed, order_hook(1))

    [tried] = logged("deliveries tried", lambda: deliveries.run_lane_task(connection, 0))

    assert "reason" not in tried


def test_the_log_warns_when_a_connection_is_paused(installed, track):
    connection = installed.connect({**track.config, "api_key": "another"})
    record(installed, order_hook(1))

    [warned] = logged("a connection is paused", lambda: deliveries.run_lane_task(connection, 0))

    assert (warned["log_level"], warned["connection"]) == ("warning", connection)
    assert warned["reason"] == "the credentials were refused (401)"


def test_a_lane_whose_time_is_up_goes_to_the_end_of_the_queue(installed, track, monkeypatch):
    connection = installed.connect(track.config)
    record(installed, order_hook(1))
    installed.process.redis.sadd(redis_keys.FAST_LANES, f"{connection}:0")
    monkeypatch.setattr(deliveries, "MAX_RUN_S", 0)

    deliveries.run_lane_task(connection, 0)

    assert starts() == [(connection, 0)]
    assert statuses(installed) == ["pending", "pending"]


@pytest.fixture
def all_slots_taken(installed):
    """All slots for slow lanes are taken."""
    redis, places = installed.process.redis, deliveries._max_slow_lanes(installed.process)
    with ExitStack() as stack:
        for number in range(places):
            stack.enter_context(acquire_slot(redis, places, Random(number)))
        yield


@pytest.mark.usefixtures("all_slots_taken")
def test_a_fast_lane_runs_while_all_slots_for_slow_lanes_are_taken(installed, track):
    connection = installed.connect(track.config)
    record(installed, order_hook(1))
    installed.process.redis.sadd(redis_keys.FAST_LANES, f"{connection}:0")

    deliveries.sweep()
    run_all("deliveries")

    assert statuses(installed) == ["sent", "sent"]


@pytest.mark.usefixtures("all_slots_taken")
def test_a_slow_lane_waits_while_all_slots_are_taken(installed, track):
    connection = installed.connect(track.config)
    record(installed, order_hook(1))

    deliveries.forward([connection])
    deliveries.sweep()

    assert (starts(), statuses(installed)) == ([], ["pending", "pending"])


@pytest.mark.usefixtures("all_slots_taken")
def test_a_batch_starts_no_slow_lanes_while_all_slots_are_taken(installed, track):
    connection = installed.connect(track.config, lanes=8)
    record(installed, *customers(12))

    deliveries.forward([connection])

    assert starts() == []


def test_no_sweep_starts_more_slow_lanes_than_there_are_slots(installed, track, monkeypatch):
    monkeypatch.setattr(deliveries, "MAX_BACKGROUND_CALLS", 1)
    installed.connect(track.config, lanes=8)
    record(installed, *customers(12))

    deliveries.sweep()

    assert len(starts()) == deliveries._max_slow_lanes(installed.process)


def test_a_task_for_a_lane_shows_its_lane_and_nothing_else(installed, track):
    connection = installed.connect(track.config)
    record(installed, order_hook(1))
    deliveries.sweep()

    assert take_message("deliveries").headers["argsrepr"] == f"({connection}, 0)"


def sealed_with_another_key(installed, track):
    """A connection with a pending order whose config cannot be decrypted."""
    connection = installed.connect(track.config)
    record(installed, order_hook(1))
    with writing(installed.process.engine) as conn:
        conn.execute(update(core.StoreConnection).values(config=encrypt(["sealed-with-another-key"], track.config)))
    return connection


def test_a_connection_that_cannot_be_opened_is_postponed(installed, track, monkeypatch):
    """By a time that is random: the clock stands still, so that it is not over."""
    connection, now = sealed_with_another_key(installed, track), installed.process.now()
    monkeypatch.setitem(process._contexts, os.getpid(), replace(installed.process, now=lambda: now))

    with pytest.raises(Misconfigured):
        deliveries.run_lane_task(connection, 0)

    deliveries.sweep()
    assert starts() == []


def test_a_connection_that_cannot_be_opened_says_which_setting_is_wrong(installed, track):
    connection = sealed_with_another_key(installed, track)

    with pytest.raises(Misconfigured):
        deliveries.run_lane_task(connection, 0)

    [lane] = installed.rows(core.Lane)
    assert lane.reason.startswith("CRATEWIRE_SECRET_KEY: none of the keys decrypts this connection's credentials")
