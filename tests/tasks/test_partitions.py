"""Tasks of several partitions: each chain reads its own, and a change of their number loses and reorders nothing."""

from __future__ import annotations

import pytest

from pipeline.inbox import stream
from pipeline.inbox.chain_lease import acquire_chain_lease
from pipeline.inbox.partitions import get_partition_count, hash_store
from pipeline.infra import redis_keys
from pipeline.ledger.schema import core
from pipeline.ledger.schema.fences import Fence
from tasks.app import app
from tasks.chain import start_chain, wake_once
from tasks.sweeps import find_due_sweeps
from tests.installation import order_hook
from tests.tasks.inline_worker import run_all, take_all_messages, take_message

STORES = ("acme", "bean", "crate", "dough", "ember", "fig")
HERE, THERE = ([name for name in STORES if hash_store(name) % 2 == partition] for partition in (0, 1))


@pytest.fixture
def stores(installed, track, redis):
    """Stores of both partitions."""
    redis.hset(redis_keys.PARTITIONS, "number", 2)
    return [installed.connect(track.config, name) for name in STORES]


def receive(installed, *numbers, stores=STORES):
    installed.receive(*(order_hook(number, store=name) for number in numbers for name in stores))


def orders(installed):
    """Store -> the numbers of its orders, as they were recorded."""
    names = {row.id: row.name for row in installed.rows(core.Store)}
    found = {}
    for row in installed.rows(core.Event):
        found.setdefault(names[row.store_id], []).append(row.subject_id)
    return found


def start(partition):
    start_chain(partition)
    return run_all("hooks")


def test_there_are_stores_of_both_partitions():
    assert HERE
    assert THERE


def test_a_chain_records_the_hooks_of_its_partition(installed, stores, redis):
    receive(installed, 1, 2)

    assert start(1) == ["hooks.decode"]
    assert orders(installed) == {name: [1, 2] for name in THERE}
    assert {row.name for row in installed.rows(Fence)} == {"inbox:1"}
    assert start(0) == ["hooks.decode"]
    assert orders(installed) == {name: [1, 2] for name in STORES}
    assert stream.get_depths(redis) == {}


@pytest.mark.usefixtures("one_by_one")
def test_a_batch_carries_its_partition_from_task_to_task(installed, stores):
    receive(installed, 1)

    assert start(1) == ["hooks.decode", "hooks.validate", "hooks.fan_out"]
    assert orders(installed) == {name: [1] for name in THERE}


def test_the_message_for_partition_0_is_that_of_a_release_without_partitions():
    start_chain(0)
    start_chain(3)

    assert [message.args for message in take_all_messages("hooks")] == [[], [3]]


def test_the_lease_of_one_partition_stops_no_other(installed, stores, redis):
    receive(installed, 1)
    acquire_chain_lease(redis)
    start(0)
    start(1)

    assert orders(installed) == {name: [1] for name in THERE}


def test_each_partition_is_woken_for_itself(stores):
    for partition in (0, 1, 0, 1):
        wake_once(partition)

    assert [message.args for message in take_all_messages("hooks")] == [[], [1]]


def test_the_sweep_wakes_the_chains_of_all_partitions_in_which_hooks_wait(installed, stores, redis):
    receive(installed, 1)
    app.tasks["hooks.sweep"]()

    assert [message.args for message in take_all_messages("hooks")] == [[], [1]]


def test_the_sweep_leaves_a_partition_alone_whose_chain_runs(installed, stores, redis):
    receive(installed, 1)
    acquire_chain_lease(redis, partition=1)
    app.tasks["hooks.sweep"]()

    assert [message.args for message in take_all_messages("hooks")] == [[]]


def test_a_hook_that_comes_to_a_partition_at_the_end_of_its_chain_is_read(installed, stores, redis, monkeypatch):
    """It did not wake the chain, because the lease was held."""
    start_chain(1)
    monkeypatch.setattr("tasks.links.stream.is_empty", lambda _, partition: partition != 1)
    take_message("hooks").work()

    assert [message.args for message in take_all_messages("hooks")] == [[1]]


def test_an_unfinished_change_of_the_number_is_finished_by_the_sweep(installed, stores, redis):
    receive(installed, 1, 2)
    redis.hset(redis_keys.PARTITIONS, mapping={"next": 1, "move": "of a process that was killed"})
    assert start(0) == ["hooks.decode"]
    assert orders(installed) == {}
    assert "hooks.sweep" in _find_due(installed)

    app.tasks["hooks.sweep"]()

    assert get_partition_count(redis).number == 1
    run_all("hooks")
    assert orders(installed) == {name: [1, 2] for name in STORES}


def test_an_unfinished_change_is_finished_though_no_hook_waits(installed, redis):
    redis.hset(redis_keys.PARTITIONS, mapping={"number": 1, "next": 4})
    assert "hooks.sweep" in _find_due(installed)

    app.tasks["hooks.sweep"]()

    assert get_partition_count(redis).next is None


def test_hooks_of_a_web_process_without_partitions_reach_their_partition(installed, stores, redis):
    for name in THERE:
        fields = {"r": f"{hash_store(name):032x}", "s": name, "v": 1, "e": "order_new", "t": 1, "b": order_hook(5).raw}
        redis.xadd(redis_keys.INBOX, fields)
    start(0)
    assert orders(installed) == {}
    app.tasks["hooks.sweep"]()
    run_all("hooks")

    assert orders(installed) == {name: [5] for name in THERE}


def _find_due(installed):
    return find_due_sweeps(installed.process)
