"""A store's deferred hooks delay no other store's, and keep their order."""

from __future__ import annotations

import pytest
from redis import Redis

from pipeline.core.errors import StaleFence
from pipeline.inbox import fair_queue, stream
from pipeline.inbox.chain_lease import acquire_chain_lease
from pipeline.infra import redis_keys
from tests.pipeline.inbox.hooks import hook

MANY_BYTES = 10_000_000


@pytest.fixture(params=[2, 3])
def redis(request, redis_client, valkey_url):
    client = Redis.from_url(valkey_url, protocol=request.param)
    yield client
    client.close()


def add(redis, *numbers, store="slow", size=10):
    stream.add_all(redis, [hook(number, size=size, store=store) for number in numbers])


def read_turn(redis, count=100, max_bytes=MANY_BYTES):
    return fair_queue.read_turn(redis, count, max_bytes)


def read(redis, count=100, max_bytes=MANY_BYTES):
    return fair_queue.read_turn(redis, count, max_bytes).entries


def receipts(entries):
    return [entry.receipt for entry in entries]


def defer(redis, entries):
    deferred = {}
    for entry in entries:
        deferred.setdefault(entry.store, []).append(entry.entry_id)
    fair_queue.isolate_stores(redis, (), deferred)


def finish(redis, entries):
    stream.remove(redis, [entry.entry_id for entry in entries])


def read_and_finish(redis, **bounds):
    found = read(redis, **bounds)
    finish(redis, found)
    return receipts(found)


def test_without_deferred_hooks_all_are_read_as_they_came(redis):
    add(redis, 1)
    add(redis, 2, store="other")
    add(redis, 3)

    assert receipts(read(redis)) == ["r1", "r2", "r3"]


def test_deferred_hooks_are_read_separately_in_their_order(redis):
    add(redis, 1, 2, 3)
    _, *rest = found = read(redis)
    defer(redis, rest)
    finish(redis, found[:1])

    assert read_and_finish(redis) == ["r2", "r3"]


def test_other_stores_go_first_and_then_alternate_with_deferred_hooks(redis):
    add(redis, 1, 2, 3)
    defer(redis, read(redis))
    add(redis, 4, store="other")

    first = read_and_finish(redis)
    add(redis, 5, store="other")
    assert [first, read_and_finish(redis, count=1), read_and_finish(redis), read_and_finish(redis, count=1)] == [
        ["r4"],
        ["r1"],
        ["r5"],
        ["r2"],
    ]


def test_new_hooks_of_an_isolated_store_wait_behind_its_older_ones(redis):
    add(redis, 1, 2)
    defer(redis, read(redis))
    add(redis, 3)
    add(redis, 4, store="other")

    assert [read_and_finish(redis), read_and_finish(redis)] == [["r4"], ["r1", "r2", "r3"]]


def test_the_hooks_of_a_killed_reader_keep_their_place(redis):
    add(redis, 1, 2, 3)
    defer(redis, read(redis)[1:])  # and r1 is never finished
    add(redis, 4, store="other")

    assert [read_and_finish(redis), read_and_finish(redis)] == [["r4"], ["r1", "r2", "r3"]]


def test_other_stores_are_found_behind_many_deferred_hooks(redis):
    add(redis, 1)
    defer(redis, read(redis))
    add(redis, *range(2, 10))
    add(redis, 10, store="other")

    assert read_and_finish(redis, count=2) == ["r10"]


def test_isolated_stores_are_read_in_turn(redis):
    add(redis, 1, 2)
    add(redis, 3, 4, store="slower")
    defer(redis, read(redis))

    assert [read_and_finish(redis, count=1) for _ in range(4)] == [["r1"], ["r3"], ["r2"], ["r4"]]


def test_a_store_without_deferred_hooks_is_no_longer_isolated(redis):
    add(redis, 1)
    defer(redis, read(redis))
    finish(redis, read(redis))
    add(redis, 2)
    add(redis, 3, store="other")

    assert receipts(read(redis)) == ["r2", "r3"]


def test_deferred_hooks_are_read_within_the_limits(redis):
    add(redis, *range(1, 6), size=1_000)
    defer(redis, read(redis))

    assert [len(read(redis, max_bytes=2_500)), len(read(redis, count=3))] == [2, 3]


def test_an_emptied_redis_has_no_deferred_hooks(redis_client):
    add(redis_client, 1)
    defer(redis_client, read(redis_client))
    redis_client.delete(redis_keys.INBOX)

    assert read(redis_client) == []


def test_a_store_that_used_up_its_share_without_deferred_hooks_is_isolated_from_its_next_hook_on(redis):
    fair_queue.isolate_stores(redis, ["slow"], {})
    add(redis, 1)
    add(redis, 2, store="other")
    add(redis, 3)

    assert [read_and_finish(redis), read_and_finish(redis)] == [["r2"], ["r1", "r3"]]


def test_an_isolated_store_is_read_at_once_if_there_is_no_other(redis):
    fair_queue.isolate_stores(redis, ["slow"], {})
    add(redis, 1)

    assert read_and_finish(redis) == ["r1"]


def test_a_store_is_isolated_for_a_while(redis):
    fair_queue.isolate_stores(redis, ["slow"], {})

    assert 0 < redis.ttl(redis_keys.ISOLATED_STORES) <= fair_queue.ISOLATION_S


def test_a_backlog_of_one_store_is_read_in_turn_with_the_hooks_behind_it(redis):
    add(redis, *range(1, 41), size=100_000)
    add(redis, 50, store="other")

    first = read_and_finish(redis, max_bytes=2_000_000)
    assert first == ["r1", "r2", "r3"]
    assert [read_and_finish(redis), read_and_finish(redis)] == [["r50"], ["r4", "r5"]]


def test_many_small_hooks_are_a_backlog_too(redis):
    add(redis, *range(1, 41), size=50_000)
    add(redis, 50, store="other")

    assert len(read_and_finish(redis, count=20)) < 10
    assert read_and_finish(redis) == ["r50"]


def test_a_backlog_of_the_only_store_is_read_in_full_batches(redis):
    add(redis, *range(1, 41), size=100_000)
    add(redis, 50, store="")  # a heartbeat

    assert len(read_and_finish(redis, max_bytes=2_000_000)) == 20
    assert not redis.exists(redis_keys.ISOLATED_STORES)


def test_stores_that_share_a_full_batch_are_not_isolated(redis):
    for number in range(1, 41):
        add(redis, number, store=f"store-{number % 2}", size=100_000)

    assert len(read_and_finish(redis, max_bytes=2_000_000)) == 20
    assert not redis.exists(redis_keys.ISOLATED_STORES)


def test_the_turns_of_an_isolated_store_are_short_while_others_have_hooks(redis):
    fair_queue.isolate_stores(redis, ["slow"], {})
    add(redis, *range(1, 1_600), size=10_000)
    turns = []
    for number in range(fair_queue.MAX_EMPTY_LOOKS + 4):
        if number == 1:
            add(redis, 5_000, store="other")
        turn = read_turn(redis, max_bytes=1_000_000)
        finish(redis, turn.entries)
        turns.append((turn.is_short, len(turn.entries)))

    assert turns[0] == (True, 25)
    assert turns[1] == (False, 1)
    assert turns[2] == (True, 25)
    assert turns[-1] == (False, 100)


def test_deleted_hooks_between_those_of_others_stop_no_turn(redis):
    fair_queue.isolate_stores(redis, ["slow"], {})
    add(redis, 1, 2, 3, store="other")
    entries = read(redis)
    redis.xdel(redis_keys.INBOX, entries[0].entry_id)

    assert read_and_finish(redis) == ["r2", "r3"]


def test_the_hooks_of_others_beyond_the_limits_are_read_first_the_next_time(redis):
    fair_queue.isolate_stores(redis, ["slow"], {})
    add(redis, 1)
    for number in range(2, 40):
        add(redis, number, store=f"store-{number % 2}")
    add(redis, 40)

    found = read_and_finish(redis, count=4)
    redis.hset(redis_keys.LAST_SERVED, "who", "one")
    assert [found, read_and_finish(redis, count=4)] == [["r2", "r3", "r4", "r5"], ["r6", "r7", "r8", "r9"]]


def lose_lease(redis):
    """A chain whose lease is gone, as after a failover that has lost the last writes, and the chain after it."""
    late = acquire_chain_lease(redis)
    redis.delete(redis_keys.INBOX_LEASE, redis_keys.INBOX_TOKEN)
    return late, acquire_chain_lease(redis)


def test_a_chain_that_has_lost_its_lease_reads_nothing_between_the_hooks_of_the_next(redis):
    add(redis, 1, 2, 3, 4)
    late, holder = lose_lease(redis)
    assert receipts(fair_queue.read_turn(redis, 2, MANY_BYTES, token=holder).entries) == ["r1", "r2"]

    with pytest.raises(StaleFence):
        fair_queue.read_turn(redis, 2, MANY_BYTES, token=late)

    assert receipts(fair_queue.read_turn(redis, 4, MANY_BYTES, token=holder).entries) == ["r1", "r2", "r3", "r4"]


def test_nor_of_stores_that_are_read_separately(redis):
    add(redis, 1, 2)
    add(redis, 3, store="other")
    late, holder = lose_lease(redis)
    fair_queue.isolate_stores(redis, ["slow"], {})

    for _ in range(2):  # all other stores, and then the one
        with pytest.raises(StaleFence):
            fair_queue.read_turn(redis, 2, MANY_BYTES, token=late)
    others = fair_queue.read_turn(redis, 2, MANY_BYTES, token=holder).entries
    assert receipts(others) == ["r3"]
    finish(redis, others)
    with pytest.raises(StaleFence):
        fair_queue.read_turn(redis, 2, MANY_BYTES, token=late)
    assert receipts(fair_queue.read_turn(redis, 2, MANY_BYTES, token=holder).entries) == ["r1", "r2"]


def test_a_lease_that_ran_out_and_was_taken_by_no_other_may_still_read(redis):
    add(redis, 1)
    token = acquire_chain_lease(redis)
    redis.delete(redis_keys.INBOX_LEASE)

    assert receipts(fair_queue.read_turn(redis, 2, MANY_BYTES, token=token).entries) == ["r1"]


def test_what_was_deleted_while_it_was_pending_is_left_out_under_a_lease_too(redis):
    add(redis, 1, 2, 3)
    token = acquire_chain_lease(redis)
    entries = fair_queue.read_turn(redis, 3, MANY_BYTES, token=token).entries
    redis.xdel(redis_keys.INBOX, entries[1].entry_id)

    assert receipts(fair_queue.read_turn(redis, 3, MANY_BYTES, token=token).entries) == ["r1", "r3"]
