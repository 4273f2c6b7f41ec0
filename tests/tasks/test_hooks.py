"""The links as a worker runs them, one after the other: what they pass on, and what ends the chain."""

from __future__ import annotations

import re

import pytest

from pipeline.inbox import stream
from pipeline.inbox.chain_lease import acquire_chain_lease, release_chain_lease
from pipeline.ledger.schema import core
from pipeline.processing import chain_run, cpu_budget, decode, validate
from tasks.app import app
from tasks.chain import start_chain
from tests.installation import list_events, make_hook, order_hook
from tests.tasks.inline_worker import run_all, take_all_messages, take_link


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
    assert list_events(installed) == [("order_new", 1)]


def test_a_hook_that_comes_just_before_an_empty_read_ends_is_read_at_once(installed, connection, redis, monkeypatch):
    def nothing_yet(*_, **__):
        stream.add_all(redis, [order_hook(1)])
        return []

    with monkeypatch.context() as patched:
        patched.setattr(stream, "read", nothing_yet)
        start_chain()
        take_link("hooks.decode").work()

    assert [message.task for message in take_all_messages("hooks")] == ["hooks.decode"]


def test_an_unreadable_hook_is_stored_with_its_raw_body_and_the_others_go_on(installed, connection):
    installed.receive(order_hook(1), make_hook(b"{never closed"), make_hook(b'{"id": {"no": "id"}}'), order_hook(2))
    start_chain()
    run_all("hooks")

    assert [number for _, number in list_events(installed)] == [1, 2]
    assert [row.stage for row in installed.rows(core.DeadHook)] == ["decode", "validate"]


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


def test_hooks_over_their_stores_share_are_recorded_later_in_their_order(installed, connection, monkeypatch):
    monkeypatch.setattr(chain_run, "MAX_STORE_CPU_S", 0.0)
    installed.connect({}, store="other")
    installed.receive(order_hook(1), order_hook(2), order_hook(3), order_hook(4, store="other"))
    start_chain()
    run_all("hooks")

    assert list_events(installed) == [("order_new", number) for number in (1, 4, 2, 3)]


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
    assert list_events(installed) == [("order_new", 1), ("order_new", 3)]
    assert [(row.stage, row.reason, row.times) for row in installed.rows(core.DeadHook)] == [(stage, "too_costly", 1)]
