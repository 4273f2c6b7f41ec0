"""One store's hooks that were left for later hold no other store's up, and keep their order."""

from __future__ import annotations

import pytest
from fakeredis import FakeRedis

from pipeline.inbox import fair_queue, stream
from pipeline.infra import redis_keys
from tests.pipeline.inbox.hooks import hook

MANY_BYTES = 10_000_000


@pytest.fixture(params=[2, 3])
def redis(request) -> FakeRedis:
    return FakeRedis(protocol=request.param)


def tell(redis, *numbers, store="slow", size=10):
    stream.add_all(redis, [hook(number, size=size, store=store) for number in numbers])


def read(redis, count=100, max_bytes=MANY_BYTES):
    return fair_queue.read(redis, count, max_bytes)


def receipts(entries):
    return [entry.receipt for entry in entries]


def leave(redis, entries):
    left = {}
    for entry in entries:
        left.setdefault(entry.store, []).append(entry.entry_id)
    fair_queue.isolate_stores(redis, (), left)


def done(redis, entries):
    stream.remove(redis, [entry.entry_id for entry in entries])


def read_and_done(redis, **bounds):
    found = read(redis, **bounds)
    done(redis, found)
    return receipts(found)


def test_without_anything_left_hooks_are_read_as_they_came(redis):
    tell(redis, 1)
    tell(redis, 2, store="other")
    tell(redis, 3)

    assert receipts(read(redis)) == ["r1", "r2", "r3"]


def test_what_was_left_is_read_by_itself_in_its_order(redis):
    tell(redis, 1, 2, 3)
    _, *rest = found = read(redis)
    leave(redis, rest)
    done(redis, found[:1])

    assert read_and_done(redis) == ["r2", "r3"]


def test_other_stores_go_first_and_then_take_turns_with_what_was_left(redis):
    tell(redis, 1, 2, 3)
    leave(redis, read(redis))
    tell(redis, 4, store="other")

    first = read_and_done(redis)
    tell(redis, 5, store="other")
    assert [first, read_and_done(redis, count=1), read_and_done(redis), read_and_done(redis, count=1)] == [
        ["r4"],
        ["r1"],
        ["r5"],
        ["r2"],
    ]


def test_new_hooks_of_a_store_that_is_read_by_itself_wait_behind_its_older_ones(redis):
    tell(redis, 1, 2)
    leave(redis, read(redis))
    tell(redis, 3)
    tell(redis, 4, store="other")

    assert [read_and_done(redis), read_and_done(redis)] == [["r4"], ["r1", "r2", "r3"]]


def test_what_a_killed_reader_had_in_hand_keeps_its_place(redis):
    tell(redis, 1, 2, 3)
    leave(redis, read(redis)[1:])  # and r1 is never finished
    tell(redis, 4, store="other")

    assert [read_and_done(redis), read_and_done(redis)] == [["r4"], ["r1", "r2", "r3"]]


def test_others_are_found_behind_many_that_wait_by_themselves(redis):
    tell(redis, 1)
    leave(redis, read(redis))
    tell(redis, *range(2, 10))
    tell(redis, 10, store="other")

    assert read_and_done(redis, count=2) == ["r10"]


def test_stores_that_are_read_by_themselves_take_turns(redis):
    tell(redis, 1, 2)
    tell(redis, 3, 4, store="slower")
    leave(redis, read(redis))

    assert [read_and_done(redis, count=1) for _ in range(4)] == [["r1"], ["r3"], ["r2"], ["r4"]]


def test_a_store_of_which_nothing_is_left_is_one_of_all_again(redis):
    tell(redis, 1)
    leave(redis, read(redis))
    done(redis, read(redis))
    tell(redis, 2)
    tell(redis, 3, store="other")

    assert receipts(read(redis)) == ["r2", "r3"]


def test_only_a_few_are_read_at_once(redis):
    tell(redis, *range(1, 6), size=1_000)
    leave(redis, read(redis))

    assert [len(read(redis, max_bytes=2_500)), len(read(redis, count=3))] == [2, 3]


def test_an_emptied_redis_has_nothing_left(redis_client):
    tell(redis_client, 1)
    leave(redis_client, read(redis_client))
    redis_client.delete(redis_keys.INBOX)

    assert read(redis_client) == []


def test_a_store_that_used_up_its_share_with_nothing_left_is_read_by_itself_from_its_next_hook_on(redis):
    fair_queue.isolate_stores(redis, ["slow"], {})
    tell(redis, 1)
    tell(redis, 2, store="other")
    tell(redis, 3)

    assert [read_and_done(redis), read_and_done(redis)] == [["r2"], ["r1", "r3"]]


def test_a_store_that_is_read_by_itself_is_read_at_once_if_there_is_no_other(redis):
    fair_queue.isolate_stores(redis, ["slow"], {})
    tell(redis, 1)

    assert read_and_done(redis) == ["r1"]


def test_a_store_is_read_by_itself_for_a_while(redis):
    fair_queue.isolate_stores(redis, ["slow"], {})

    assert 0 < redis.ttl(redis_keys.ISOLATED_STORES) <= fair_queue.ISOLATION_S
