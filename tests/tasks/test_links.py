"""Links that follow each other in one task, and links that are left to tasks of their own."""

from __future__ import annotations

import pytest
import structlog

from pipeline.inbox import stream
from pipeline.inbox.chain_lease import acquire_chain_lease, release_chain_lease
from pipeline.infra import redis_keys
from pipeline.ledger.fence import advance_fence
from pipeline.ledger.schema import core
from pipeline.processing import chain_run
from tasks import deliveries, process
from tasks.app import app
from tasks.chain import start_chain
from tests.installation import list_events, order_hook
from tests.tasks.inline_worker import run_all, take_all_messages, take_link, take_message


def sent(installed):
    return [row.status for row in installed.rows(core.Delivery) if row.status == "sent"]


def test_one_task_brings_the_hooks_in_the_inbox_to_the_platform(installed, connection, redis):
    installed.receive(order_hook(1), order_hook(2))
    start_chain()

    assert run_all("hooks") == ["hooks.decode"]
    assert list_events(installed) == [("order_new", 1), ("order_new", 2)]
    assert take_all_messages("deliveries") == []
    assert len(sent(installed)) == len(installed.rows(core.Delivery)) > 0
    assert stream.depth(redis) == 0


@pytest.mark.usefixtures("one_by_one")
def test_a_link_that_would_begin_late_gets_a_task_of_its_own(installed, connection, redis):
    installed.receive(order_hook(1), order_hook(2))
    start_chain()

    assert run_all("hooks") == ["hooks.decode", "hooks.validate", "hooks.fan_out"]
    assert list_events(installed) == [("order_new", 1), ("order_new", 2)]
    assert stream.depth(redis) == 0


def test_while_hooks_wait_another_task_delivers_what_was_recorded(installed, connection, small_batches):
    installed.receive(order_hook(1), order_hook(2), order_hook(3))
    start_chain()
    run_all("hooks")

    assert [(message.task, message.args) for message in take_all_messages("deliveries")] == [
        ("deliveries.forward", [[connection]])
    ]


@pytest.mark.usefixtures("small_batches")
def test_the_only_process_of_a_worker_delivers_before_it_reads_the_next_batch(installed, connection, monkeypatch):
    monkeypatch.setenv("CRATEWIRE_WORKERS", "1")
    process._contexts.clear()
    installed.receive(order_hook(1), order_hook(2), order_hook(3))
    start_chain()
    take_message("hooks").work()

    assert len(list_events(installed)) == 2
    assert len(sent(installed)) == len(installed.rows(core.Delivery)) > 0
    assert [message.task for message in take_all_messages("hooks")] == ["hooks.decode"]


def test_a_worker_that_takes_no_deliveries_leaves_them_to_others(installed, connection, monkeypatch):
    monkeypatch.setattr(app.amqp.queues, "_consume_from", {"hooks": app.amqp.queues["hooks"]})
    installed.receive(order_hook(1))
    start_chain()
    run_all("hooks")

    assert [(message.task, message.args) for message in take_all_messages("deliveries")] == [
        ("deliveries.forward", [[connection]])
    ]


def test_a_delivery_that_fails_is_named_and_loses_no_hook(installed, connection, redis, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(deliveries, "_find_due_lanes", fail)
    installed.receive(order_hook(1))
    start_chain()
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        run_all("hooks")

    assert [line["task"] for line in lines if line["event"] == "a task failed"] == ["deliveries.forward"]
    assert (stream.depth(redis), bool(acquire_chain_lease(redis))) == (0, True)


@pytest.mark.usefixtures("small_batches")
def test_the_hooks_beyond_a_batch_are_read_by_the_same_task(installed, connection):
    installed.receive(*(order_hook(number) for number in range(5)))
    start_chain()

    assert run_all("hooks") == ["hooks.decode"]
    assert [number for _, number in list_events(installed)] == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("small_batches")
def test_a_task_whose_time_is_up_leaves_the_next_batch_to_another(installed, connection, monkeypatch):
    monkeypatch.setattr(chain_run, "READING_S", 0.0)
    installed.receive(*(order_hook(number) for number in range(5)))
    start_chain()

    assert run_all("hooks") == ["hooks.decode"] * 3
    assert [number for _, number in list_events(installed)] == [0, 1, 2, 3, 4]


def test_a_hook_that_comes_while_a_batch_is_recorded_waits_for_no_sweep(installed, connection, redis, monkeypatch):
    real = chain_run.record_valid_hooks

    def record(*arguments):
        if not installed.rows(core.Event):
            assert stream.add_all(redis, [order_hook(2)]) == []
        return real(*arguments)

    monkeypatch.setattr(chain_run, "record_valid_hooks", record)
    installed.receive(order_hook(1))
    start_chain()

    assert run_all("hooks") == ["hooks.decode"]
    assert [number for _, number in list_events(installed)] == [1, 2]


def time_passes(redis, seconds):
    """As far as the lease is concerned."""
    redis.pexpire(redis_keys.INBOX_LEASE, redis.pttl(redis_keys.INBOX_LEASE) - 1000 * seconds)


@pytest.mark.usefixtures("one_by_one")
def test_no_older_message_overtakes_a_link_behind_slow_lanes(installed, connection, redis):
    installed.receive(order_hook(1))
    for _ in range(4):  # wake-ups that waited behind a slow lane
        start_chain()
    for _ in range(6):
        take_message("hooks").work()
        time_passes(redis, 12)

    assert list_events(installed) == [("order_new", 1)]


@pytest.mark.usefixtures("one_by_one")
def test_a_hook_that_comes_while_a_batch_is_under_way_adds_no_message(installed, connection, redis):
    installed.receive(order_hook(1))
    start_chain()
    take_link("hooks.decode").work()
    asked = stream.add_all(redis, [order_hook(2)])
    app.tasks["hooks.sweep"]()

    assert not asked
    assert [message.task for message in take_all_messages("hooks")] == ["hooks.validate"]


@pytest.mark.usefixtures("one_by_one")
def test_a_batch_whose_link_was_lost_is_read_again_soon(installed, connection, redis):
    installed.receive(order_hook(1))
    start_chain()
    take_link("hooks.decode").work()
    take_all_messages("hooks")
    time_passes(redis, 7)
    app.tasks["hooks.sweep"]()
    run_all("hooks")

    assert list_events(installed) == [("order_new", 1)]


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("lost_before", ["hooks.validate", "hooks.fan_out"])
def test_a_link_whose_lease_another_chain_acquired_passes_nothing_on(installed, connection, redis, lost_before):
    installed.receive(order_hook(1))
    start_chain()
    while (message := take_message("hooks")).task != lost_before:
        message.work()
    release_chain_lease(redis, message.args[0]["token"])
    acquire_chain_lease(redis)

    message.work()

    assert list_events(installed) == []
    assert take_all_messages("hooks") == take_all_messages("deliveries") == []
    assert stream.depth(redis) == 1


@pytest.mark.usefixtures("one_by_one")
def test_a_link_that_the_ledger_fences_off_passes_nothing_on(installed, connection, redis):
    installed.receive(order_hook(1))
    start_chain()
    take_link("hooks.decode").work()
    take_link("hooks.validate").work()
    message = take_link("hooks.fan_out")
    with installed.process.engine.begin() as db:
        advance_fence(db, "inbox", message.args[0]["token"] + 1)

    message.work()

    assert list_events(installed) == []
    assert take_all_messages("deliveries") == []


@pytest.mark.usefixtures("one_by_one")
def test_a_database_that_is_away_loses_no_hook_and_no_lease(installed, connection, redis):
    installed.receive(order_hook(1), order_hook(2))
    start_chain()
    take_link("hooks.decode").work()
    take_link("hooks.validate").work()
    message = take_link("hooks.fan_out")

    with installed.ledger_away():
        message.work()

    assert take_all_messages("deliveries") == []
    start_chain()
    run_all("hooks")
    assert [number for _, number in list_events(installed)] == [1, 2]


@pytest.mark.usefixtures("one_by_one")
def test_a_lease_that_ran_out_while_the_only_worker_was_busy_is_resumed(installed, connection, redis):
    installed.receive(order_hook(1))
    start_chain()
    take_link("hooks.decode").work()
    redis.delete(redis_keys.INBOX_LEASE)

    run_all("hooks")

    assert list_events(installed) == [("order_new", 1)]
