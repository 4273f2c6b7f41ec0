"""The links as a worker runs them, one after the other: what they pass on, and what ends the chain."""

from __future__ import annotations

import re

import pytest

from pipeline.inbox import stream
from pipeline.inbox.chain_lease import acquire_chain_lease, release_chain_lease
from pipeline.infra import redis_keys
from pipeline.ledger.fence import advance_fence
from pipeline.ledger.schema import core
from pipeline.processing import cpu_budget, decode, validate
from tasks import hooks, process
from tasks.app import app
from tasks.chain import start_chain
from tests.installation import make_hook, order_hook
from tests.tasks.inline_worker import run_all, take_all_messages, take_message


@pytest.fixture
def connection(installed, track):
    return installed.connect(track.config)


@pytest.fixture
def redis(installed):
    return installed.process.redis


def events(installed):
    return [(row.name, row.subject_id) for row in installed.rows(core.Event)]


def link(name):
    """The next message, which must be this link's."""
    message = take_message("hooks")
    assert message.task == name
    return message


def test_the_hooks_in_the_inbox_reach_the_ledger_and_the_lanes_are_woken(installed, connection, redis):
    installed.receive(order_hook(1), order_hook(2))
    start_chain()

    assert run_all("hooks") == ["hooks.decode", "hooks.validate", "hooks.fan_out"]
    assert events(installed) == [("order_new", 1), ("order_new", 2)]
    assert [(message.task, message.args) for message in take_all_messages("deliveries")] == [
        ("deliveries.forward", [[connection]])
    ]
    assert stream.depth(redis) == 0


def test_an_empty_inbox_ends_the_chain_and_releases_the_lease(installed, redis):
    start_chain()

    assert run_all("hooks") == ["hooks.decode"]
    assert acquire_chain_lease(redis)


def test_a_batch_that_concerns_no_connection_wakes_no_lane(installed, connection):
    installed.receive(make_hook(b'{"theme_name": "x"}', event="design_updated"))
    start_chain()
    run_all("hooks")

    assert take_all_messages("deliveries") == []


def test_while_another_chain_holds_the_lease_nothing_is_read(installed, connection, redis):
    held = acquire_chain_lease(redis)
    installed.receive(order_hook(1))
    start_chain()

    assert run_all("hooks") == ["hooks.decode"]
    release_chain_lease(redis, held)
    start_chain()
    run_all("hooks")
    assert events(installed) == [("order_new", 1)]


def test_the_hooks_beyond_a_batch_are_read_at_once(installed, connection, monkeypatch):
    monkeypatch.setenv("CRATEWIRE_BATCH", "2")
    process._contexts.clear()
    installed.receive(*(order_hook(number) for number in range(5)))
    start_chain()

    assert run_all("hooks") == ["hooks.decode", "hooks.validate", "hooks.fan_out"] * 3
    assert [number for _, number in events(installed)] == [0, 1, 2, 3, 4]


def test_a_hook_that_comes_while_a_batch_is_recorded_waits_for_no_sweep(installed, connection):
    installed.receive(order_hook(1))
    start_chain()
    link("hooks.decode").work()
    installed.receive(order_hook(2))

    run_all("hooks")

    assert [number for _, number in events(installed)] == [1, 2]


def time_passes(redis, seconds):
    """As far as the lease is concerned."""
    redis.pexpire(redis_keys.INBOX_LEASE, redis.pttl(redis_keys.INBOX_LEASE) - 1000 * seconds)


def test_no_older_message_overtakes_a_link_behind_slow_lanes(installed, connection, redis):
    installed.receive(order_hook(1))
    for _ in range(4):  # wake-ups that waited behind a slow lane
        start_chain()
    for _ in range(6):
        take_message("hooks").work()
        time_passes(redis, 12)

    assert events(installed) == [("order_new", 1)]


def test_a_hook_that_comes_while_a_batch_is_under_way_adds_no_message(installed, connection, redis):
    installed.receive(order_hook(1))
    start_chain()
    link("hooks.decode").work()
    asked = stream.add_all(redis, [order_hook(2)])
    app.tasks["hooks.sweep"]()

    assert not asked
    assert [message.task for message in take_all_messages("hooks")] == ["hooks.validate"]


def test_a_batch_whose_link_was_lost_is_read_again_soon(installed, connection, redis):
    installed.receive(order_hook(1))
    start_chain()
    link("hooks.decode").work()
    take_all_messages("hooks")
    time_passes(redis, 7)
    app.tasks["hooks.sweep"]()
    run_all("hooks")

    assert events(installed) == [("order_new", 1)]


def test_a_hook_that_comes_just_before_an_empty_read_ends_is_read_at_once(installed, connection, redis, monkeypatch):
    def nothing_yet(*_, **__):
        stream.add_all(redis, [order_hook(1)])
        return []

    with monkeypatch.context() as patched:
        patched.setattr(stream, "read", nothing_yet)
        start_chain()
        link("hooks.decode").work()

    assert [message.task for message in take_all_messages("hooks")] == ["hooks.decode"]


def test_an_unreadable_hook_is_stored_with_its_raw_body_and_the_others_go_on(installed, connection):
    installed.receive(order_hook(1), make_hook(b"{never closed"), make_hook(b'{"id": {"no": "id"}}'), order_hook(2))
    start_chain()
    run_all("hooks")

    assert [number for _, number in events(installed)] == [1, 2]
    assert [row.stage for row in installed.rows(core.DeadHook)] == ["decode", "validate"]


@pytest.mark.parametrize("lost_before", ["hooks.validate", "hooks.fan_out"])
def test_a_link_whose_lease_another_chain_acquired_passes_nothing_on(installed, connection, redis, lost_before):
    installed.receive(order_hook(1))
    start_chain()
    while (message := take_message("hooks")).task != lost_before:
        message.work()
    release_chain_lease(redis, message.args[0]["token"])
    acquire_chain_lease(redis)

    message.work()

    assert events(installed) == []
    assert take_all_messages("hooks") == take_all_messages("deliveries") == []
    assert stream.depth(redis) == 1


def test_a_link_that_the_ledger_fences_off_passes_nothing_on(installed, connection, redis):
    installed.receive(order_hook(1))
    start_chain()
    link("hooks.decode").work()
    link("hooks.validate").work()
    message = link("hooks.fan_out")
    with installed.process.engine.begin() as db:
        advance_fence(db, "inbox", message.args[0]["token"] + 1)

    message.work()

    assert events(installed) == []
    assert take_all_messages("deliveries") == []


def test_the_sweep_wakes_the_chain_only_if_hooks_wait(installed, connection):
    sweep = "hooks.sweep"
    app.tasks[sweep]()
    assert take_all_messages("hooks") == []

    installed.receive(order_hook(1))
    app.tasks[sweep]()
    assert [message.task for message in take_all_messages("hooks")] == ["hooks.decode"]


def test_the_sweep_does_not_wait_for_a_lost_wake_up(installed, connection, redis):
    is_wakeup_wanted = stream.add_all(redis, [order_hook(1)])
    app.tasks["hooks.sweep"]()

    assert is_wakeup_wanted
    assert [message.task for message in take_all_messages("hooks")] == ["hooks.decode"]


def test_a_database_that_is_away_loses_no_hook_and_no_lease(installed, connection, redis):
    installed.receive(order_hook(1), order_hook(2))
    start_chain()
    link("hooks.decode").work()
    link("hooks.validate").work()
    message = link("hooks.fan_out")

    with installed.ledger_away():
        message.work()

    assert take_all_messages("deliveries") == []
    start_chain()
    run_all("hooks")
    assert [number for _, number in events(installed)] == [1, 2]


def test_a_lease_that_ran_out_while_the_only_worker_was_busy_is_resumed(installed, connection, redis):
    installed.receive(order_hook(1))
    start_chain()
    link("hooks.decode").work()
    redis.delete(redis_keys.INBOX_LEASE)

    run_all("hooks")

    assert events(installed) == [("order_new", 1)]


def test_hooks_over_their_stores_share_are_recorded_later_in_their_order(installed, connection, monkeypatch):
    monkeypatch.setattr(hooks, "MAX_STORE_CPU_S", 0.0)
    installed.connect({}, store="other")
    installed.receive(order_hook(1), order_hook(2), order_hook(3), order_hook(4, store="other"))
    start_chain()
    run_all("hooks")

    assert events(installed) == [("order_new", number) for number in (1, 4, 2, 3)]


@pytest.mark.parametrize(("module", "name", "stage"), [(decode, "decode", "decode"), (validate, "_load", "validate")])
def test_a_hook_that_is_too_costly_fails_at_its_first_try(installed, connection, monkeypatch, module, name, stage):
    squared, real = re.compile(r"[\[{](?:\s|x)*[\[{]?(?:\s|x)*y"), getattr(module, name)

    def costly(hook, *more):
        if b"7001" not in (hook if isinstance(hook, bytes) else repr(hook).encode()):
            squared.match("{" + " " * 60_000)  # a minute and more
        return real(hook, *more)

    monkeypatch.setattr(module, name, costly)
    monkeypatch.setattr(cpu_budget, "MAX_HOOK_CPU_S", 0.5)
    installed.receive(order_hook(1), order_hook(2, customer_id=9), order_hook(3))
    start_chain()

    run_all("hooks")
    assert events(installed) == [("order_new", 1), ("order_new", 3)]
    assert [(row.stage, row.reason, row.times) for row in installed.rows(core.DeadHook)] == [(stage, "too_costly", 1)]
