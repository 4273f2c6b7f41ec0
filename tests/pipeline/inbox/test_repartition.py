"""Whatever waits, however the process that moves it ends: no hook is lost or twice, and each store keeps its order."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from pipeline.inbox import fair_queue, poison, repartition, stream
from pipeline.inbox.chain_lease import acquire_chain_lease, release_chain_lease, renew_chain_lease
from pipeline.inbox.partitions import get_partition_count, hash_store
from pipeline.inbox.repartition import Move, PartitionsBusy, change_partitions, finish_change
from pipeline.infra import redis_keys
from tests.pipeline.inbox.hooks import hook

MANY_BYTES = 10_000_000
STORES = [f"store-{number}" for number in range(9)]


class Killed(BaseException):
    """The process that moves hooks is killed before its next command."""


class MortalRedis(Redis):
    """A client whose process is killed before the script of this number, if any."""

    left: int | None = None

    def eval(self, *arguments):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed
        return super().eval(*arguments)


@pytest.fixture
def redis(redis_client):
    return redis_client


def change(redis, number, move_id="one", max_wait_s=5.0):
    return change_partitions(redis, number, move_id, lambda *_: None, max_wait_s)


def add(redis, *stores, first=1, partitions=1, size=0):
    hooks = [hook(number, store=store, size=size) for number, store in enumerate(stores, first)]
    stream.add_all(redis, hooks, partitions)


def drain(redis):
    """Receipts by store, as the chains of all partitions read them; and the partition of each store."""
    receipts, places = {}, {}
    number = get_partition_count(redis).number
    for partition in range(number):
        while entries := fair_queue.read_turn(redis, 3, MANY_BYTES, partition).entries:
            for entry in entries:
                receipts.setdefault(entry.store, []).append(int(entry.receipt[1:]))
                places.setdefault(entry.store, set()).add(partition)
            stream.remove(redis, [entry.entry_id for entry in entries], partition)
    assert all(places[store] == {hash_store(store) % number} for store in places)
    assert stream.get_depths(redis) == {}
    return receipts


def test_waiting_hooks_move_to_the_partitions_of_their_stores(redis):
    add(redis, *STORES, *STORES)
    move = change(redis, 4)

    assert (move.before, move.after, get_partition_count(redis).number) == (1, 4, 4)
    assert move.moved == sum(hash_store(store) % 4 != 0 for store in STORES) * 2
    assert drain(redis) == {store: [number, number + 9] for number, store in enumerate(STORES, 1)}


def test_and_back_again(redis):
    add(redis, *STORES)
    change(redis, 5)
    add(redis, *STORES, first=10)
    change(redis, 1)
    add(redis, *STORES, first=19)

    assert stream.get_depths(redis) == {0: 27}
    assert not redis.exists(redis_keys.in_partition(redis_keys.INBOX, 4))
    assert drain(redis) == {store: [number, number + 9, number + 18] for number, store in enumerate(STORES, 1)}


def test_a_change_to_the_same_number_moves_nothing(redis):
    add(redis, *STORES, partitions=3)

    assert change(redis, 3) == Move(3, 3)


def test_an_inbox_that_never_held_a_hook_gets_the_number_at_once(redis):
    assert change(redis, 3) == Move(3, 3)
    assert get_partition_count(redis).number == 3


def test_many_hooks_are_moved_in_several_steps(redis, monkeypatch):
    monkeypatch.setattr(repartition, "MAX_STEP_BYTES", 3_000)
    add(redis, *STORES * 5, size=1_000)

    assert change(redis, 4).looked_at >= 45
    assert drain(redis) == {store: list(range(number, 46, 9)) for number, store in enumerate(STORES, 1)}


def test_pending_and_deferred_hooks_keep_their_place(redis):
    add(redis, *STORES)
    entries = fair_queue.read_turn(redis, 5, MANY_BYTES).entries
    fair_queue.isolate_stores(redis, [STORES[1]], {STORES[1]: [entries[1].entry_id]})
    add(redis, *STORES, first=10)
    change(redis, 4)

    assert drain(redis) == {store: [number, number + 9] for number, store in enumerate(STORES, 1)}


def test_while_hooks_move_new_ones_come_behind_those_of_their_store(redis, monkeypatch):
    """A web process adds a hook of each store between any two steps."""
    monkeypatch.setattr(repartition, "MAX_STEP_BYTES", 1)
    add(redis, *STORES)
    numbers = count(10)

    class Busy(Redis):
        def eval(self, script, *arguments):
            if script == repartition._MOVE and (first := next(numbers)) < 20:
                add(redis, *STORES, first=first * 9)
            return super().eval(script, *arguments)

    change(_copy(Busy, redis), 4)

    for receipts in drain(redis).values():
        assert len(receipts) == 11
        assert receipts == sorted(receipts)


def test_a_change_waits_for_the_batch_that_is_recorded_now(redis):
    add(redis, *STORES)
    token = acquire_chain_lease(redis)
    with pytest.raises(PartitionsBusy, match="partition 0"):
        change(redis, 4, max_wait_s=0.01)

    assert stream.get_depths(redis) == {0: 9}
    release_chain_lease(redis, token)
    assert change(redis, 4).after == 4


def test_a_chain_whose_lease_ran_out_before_the_move_cannot_go_on(redis):
    add(redis, *STORES)
    token = acquire_chain_lease(redis)
    redis.delete(redis_keys.INBOX_LEASE)
    fences = {}
    change_partitions(redis, 4, "one", fences.__setitem__, 1.0)

    assert not renew_chain_lease(redis, token)
    assert fences.keys() == {0, 1, 2, 3}
    assert fences[0] > token


def test_the_chains_run_again_after_the_change(redis):
    add(redis, *STORES)
    change(redis, 4)

    assert all(acquire_chain_lease(redis, partition=number) for number in range(4))


def test_of_two_processes_one_changes_the_number(redis):
    redis.set(redis_keys.PARTITIONS_LEASE, "another")

    with pytest.raises(PartitionsBusy, match="another process"):
        change(redis, 4)


def test_a_worker_that_was_killed_by_a_batch_is_counted_before_its_hooks_move(redis):
    add(redis, *STORES)
    entries = stream.read(redis, 10, MANY_BYTES)
    poison.split_poison(redis, entries, acquire_chain_lease(redis))
    redis.delete(redis_keys.INBOX_LEASE)
    change(redis, 4)

    assert redis.hgetall(redis_keys.POISON_TRIES) == {poison.hash_content(b"{}", None).encode(): b"1"}


def test_a_sweep_without_an_unfinished_change_does_nothing(redis):
    add(redis, *STORES)

    assert finish_change(redis, "sweep", lambda *_: None, 1.0) is None


def test_another_number_is_set_only_after_the_unfinished_change(redis, monkeypatch):
    monkeypatch.setattr(repartition, "MAX_STEP_BYTES", 300)
    add(redis, *STORES * 3)
    _kill_after(redis, 4, scripts=7)
    change(redis, 2)

    assert get_partition_count(redis).number == 2
    assert drain(redis) == {store: list(range(number, 28, 9)) for number, store in enumerate(STORES, 1)}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.sampled_from(STORES), min_size=1, max_size=12)),
        st.tuples(st.just("read"), st.integers(1, 6)),
        st.tuples(st.just("defer"), st.sampled_from(STORES)),
        st.tuples(st.just("change"), st.integers(1, 5)),
        st.tuples(st.just("killed"), st.tuples(st.integers(1, 5), st.integers(3, 30))),
    ),
    max_size=14,
)


@given(steps)
def test_nothing_is_lost_twice_or_out_of_order(valkey_url, given_steps):
    redis = Redis.from_url(valkey_url)
    redis.flushall()
    sent, recorded, numbers = {}, {}, count(1)
    patched = pytest.MonkeyPatch()
    patched.setattr(repartition, "MAX_STEP_BYTES", 700)
    try:
        for name, value in given_steps:
            if name == "add":
                first = next(numbers)
                add(redis, *value, first=first)
                for number, store in enumerate(value, first):
                    sent.setdefault(store, []).append(number)
                    next(numbers)
            elif name == "change":
                change(redis, value)
            elif name == "killed":
                _kill_after(redis, *value)
            else:
                _read(redis, name, value, recorded)
        finish_change(redis, "sweep", lambda *_: None, 5.0)
        for store, receipts in drain(redis).items() if sent else ():
            recorded.setdefault(store, []).extend(receipts)
        assert recorded == sent
    finally:
        patched.undo()
        redis.close()


def _read(redis, name, value, recorded):
    """Chains that record some hooks, read some more and are killed, or defer one store's; a change keeps them out."""
    for partition in range(get_partition_count(redis).number or 0):
        token = acquire_chain_lease(redis, partition=partition)
        if token is None:
            continue
        entries = fair_queue.read_turn(redis, value if name == "read" else 6, MANY_BYTES, partition).entries
        if name == "defer":
            mine = [entry.entry_id for entry in entries if entry.store == value]
            fair_queue.isolate_stores(redis, [value], {value: mine} if mine else {}, partition)
        else:
            stream.remove(redis, [entry.entry_id for entry in entries[: value // 2]], partition)
            for entry in entries[: value // 2]:
                recorded.setdefault(entry.store, []).append(int(entry.receipt[1:]))
        release_chain_lease(redis, token, partition)


def _kill_after(redis, number, scripts):
    """Change the number with a process that is killed after so many scripts; its leases run out."""
    mortal = _copy(MortalRedis, redis)
    mortal.left = scripts
    try:
        change_partitions(mortal, number, f"mortal {scripts}", lambda *_: None, 1.0)
    except Killed:
        leases = [redis_keys.in_partition(redis_keys.INBOX_LEASE, partition) for partition in range(8)]
        redis.delete(redis_keys.PARTITIONS_LEASE, *leases)
    finally:
        mortal.close()


def _copy(client, redis):
    return client(**{name: redis.connection_pool.connection_kwargs[name] for name in ("host", "port", "db")})
