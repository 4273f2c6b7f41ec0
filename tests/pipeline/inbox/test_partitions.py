"""A store's hooks are all in one partition, each partition has a chain of its own, and every look sees all of them."""

from __future__ import annotations

import pytest

from pipeline.inbox import fair_queue, poison, stream
from pipeline.inbox.chain_lease import acquire_chain_lease, is_chain_lease_free, release_chain_lease, renew_chain_lease
from pipeline.inbox.partitions import MAX_PARTITIONS, PartitionCount, get_partition_count, hash_store
from pipeline.infra import redis_keys
from tests.pipeline.inbox.hooks import hook

STORES = [f"store-{number}" for number in range(40)]
MANY_BYTES = 10_000_000


@pytest.fixture
def redis(redis_client):
    return redis_client


def add(redis, *stores, partitions=4, first=1):
    return stream.add_all(redis, [hook(number, store=store) for number, store in enumerate(stores, first)], partitions)


def find_store(partition, number=4):
    return next(name for name in STORES if hash_store(name) % number == partition)


def read(redis, partition):
    return [entry.receipt for entry in fair_queue.read_turn(redis, 100, MANY_BYTES, partition).entries]


def test_all_hooks_of_a_store_are_in_its_partition(redis):
    add(redis, *STORES, *STORES)

    for partition in range(4):
        mine = [store for store in STORES if hash_store(store) % 4 == partition]
        assert [entry.store for entry in stream.read(redis, 100, MANY_BYTES, partition=partition)] == mine * 2


def test_a_new_inbox_begins_with_the_number_it_is_given(redis):
    add(redis, "acme", partitions=3)
    add(redis, "acme", partitions=7)

    assert get_partition_count(redis) == PartitionCount(3, None)


def test_an_inbox_that_never_held_a_hook_has_no_number(redis):
    assert get_partition_count(redis) == PartitionCount(None, None)


@pytest.mark.parametrize("key", [redis_keys.INBOX, redis_keys.INBOX_TOKEN])
def test_an_inbox_of_before_there_were_partitions_keeps_one(redis, key):
    redis.set(key, 1) if key == redis_keys.INBOX_TOKEN else stream.ensure_group(redis)
    add(redis, *STORES)

    assert stream.get_depths(redis) == {0: len(STORES)}


def test_a_number_that_got_lost_is_found_again(redis):
    add(redis, "acme", partitions=5)
    redis.delete(redis_keys.PARTITIONS)
    add(redis, "acme", partitions=2)

    assert get_partition_count(redis).number == 5
    assert list(stream.get_depths(redis).values()) == [2]


def test_the_chain_of_each_partition_that_got_a_hook_is_woken(redis):
    assert sorted(add(redis, find_store(1), find_store(3))) == [1, 3]
    assert add(redis, find_store(0), find_store(1)) == [0]


def test_the_lease_of_another_partition_keeps_no_wake_up_away(redis):
    acquire_chain_lease(redis, partition=1)

    assert add(redis, find_store(1), find_store(2)) == [2]


def test_each_partition_has_a_lease_of_its_own(redis):
    tokens = [acquire_chain_lease(redis, partition=number) for number in (0, 1)]
    release_chain_lease(redis, tokens[1], partition=1)

    assert all(tokens)
    assert [is_chain_lease_free(redis, number) for number in (0, 1)] == [False, True]
    assert not renew_chain_lease(redis, tokens[1], partition=1)


def test_while_hooks_are_moved_no_chain_gets_a_lease(redis):
    redis.hset(redis_keys.PARTITIONS, mapping={"number": 1, "next": 4})

    assert acquire_chain_lease(redis) is None
    assert acquire_chain_lease(redis, to_move=True) is not None


def test_what_looks_at_the_inbox_sees_all_partitions(redis):
    add(redis, find_store(2), find_store(1), find_store(3), first=5)

    assert stream.depth(redis) == 3
    assert stream.get_oldest_received_at(redis) == hook(5).received_at
    assert {entry.receipt for entry in stream.peek_both_ends(redis, 25)} == {"r5", "r6", "r7"}


def test_hooks_beyond_the_number_of_partitions_are_seen(redis):
    redis.xadd(redis_keys.in_partition(redis_keys.INBOX, MAX_PARTITIONS - 1), {"r": "r1"})

    assert stream.get_depths(redis) == {MAX_PARTITIONS - 1: 1}


def test_a_hook_in_the_partition_of_others_is_moved_behind_those_of_its_own(redis):
    """A web process of a release that knew no partitions writes to partition 0."""
    own, other = find_store(0), find_store(2)
    add(redis, own, other)
    for number, store in ((3, other), (4, own), (5, other)):
        redis.xadd(redis_keys.INBOX, {"r": f"r{number}", "s": store, "b": "{}"})

    assert read(redis, 0) == ["r1", "r4"]
    assert read(redis, 2) == ["r2", "r3", "r5"]


def test_a_partition_that_holds_only_hooks_of_others_is_empty_afterwards(redis):
    add(redis, find_store(1))
    for _ in range(3):
        redis.xadd(redis_keys.INBOX, {"s": find_store(1)})

    assert read(redis, 0) == []
    assert stream.get_depths(redis) == {1: 4}


def test_a_store_is_isolated_in_its_partition_only(redis):
    add(redis, find_store(1), find_store(2))
    fair_queue.isolate_stores(redis, [find_store(1)], {}, partition=1)

    assert redis.exists(redis_keys.in_partition(redis_keys.ISOLATED_STORES, 1))
    assert not redis.exists(redis_keys.ISOLATED_STORES)
    assert [read(redis, 1), read(redis, 2)] == [["r1"], ["r2"]]


def test_a_killed_worker_counts_for_the_bodies_of_its_partition_only(redis):
    add(redis, find_store(1), find_store(2))
    entries = {number: stream.read(redis, 10, MANY_BYTES, partition=number) for number in (1, 2)}
    for number in (1, 2):
        poison.split_poison(redis, entries[number], acquire_chain_lease(redis, partition=number), number)
    redis.delete(redis_keys.in_partition(redis_keys.INBOX_LEASE, 1))
    poison.split_poison(redis, entries[1], acquire_chain_lease(redis, partition=1), 1)

    killed = poison.hash_content(entries[1][0].raw, None)
    assert redis.hgetall(redis_keys.POISON_TRIES) == {killed.encode(): b"1"}


def test_a_death_is_counted_before_the_hooks_leave_the_partition(redis):
    add(redis, "acme", partitions=1)
    entries = stream.read(redis, 10, MANY_BYTES)
    poison.split_poison(redis, entries, acquire_chain_lease(redis))
    poison.count_killed(redis, 0)
    poison.count_killed(redis, 0)

    assert redis.hgetall(redis_keys.POISON_TRIES) == {poison.hash_content(entries[0].raw, None).encode(): b"1"}
