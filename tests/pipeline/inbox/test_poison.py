"""Which bodies are tried, how often, and in batches of which size. The tasks' tests have bodies that really kill."""

from __future__ import annotations

import pytest

from pipeline.inbox import fair_queue, stream
from pipeline.inbox.chain_lease import acquire_chain_lease, park_chain_lease, release_chain_lease, renew_chain_lease
from pipeline.inbox.entry import InboxEntry, RawHook
from pipeline.inbox.poison import MAX_TRIES, hash_content, reset_tries, split_poison
from pipeline.infra import redis_keys


def entry(number, raw=None, query=None):
    body = f"body {number}".encode() if raw is None else raw
    return InboxEntry(f"r{number}", "acme", 1, "order_new", number, body, query, entry_id=f"{number}-0")


def entries(count, first=1):
    return [entry(number) for number in range(first, first + count)]


@pytest.fixture
def redis(redis_client):
    return redis_client


def read(redis, found):
    """How many are tried, and how many have been tried too often; then the worker is killed."""
    ready, poisonous = split_poison(redis, found, begin(redis))
    return len(ready), len(poisonous)


def begin(redis):
    """The lease of the next chain, however the last one ended."""
    redis.delete(redis_keys.INBOX_LEASE)
    return acquire_chain_lease(redis)


def test_bodies_without_tries_are_read_together(redis):
    assert read(redis, entries(100)) == (100, 0)


def test_no_entries_make_no_batch(redis):
    assert split_poison(redis, [], 1) == ([], [])


def test_batches_shrink_with_every_killed_worker(redis):
    assert [read(redis, entries(100))[0] for _ in range(3)] == [100, 10, 1]


def test_the_body_with_the_most_tries_decides_the_size(redis):
    split_poison(redis, [entry(50)], begin(redis))
    assert read(redis, entries(100)) == (10, 0)


def test_a_body_that_was_tried_too_often_is_returned_as_poison_from_then_on(redis):
    for _ in range(MAX_TRIES):
        assert read(redis, entries(1)) == (1, 0)

    assert [read(redis, entries(1)) for _ in range(3)] == [(0, 1)] * 3


def test_the_order_stays(redis):
    split_poison(redis, entries(20), begin(redis))
    ready, _ = split_poison(redis, entries(20), begin(redis))

    assert ready == entries(20)[:10]


def test_a_body_whose_tries_were_reset_starts_again(redis):
    read(redis, entries(1))
    token = begin(redis)
    split_poison(redis, entries(1), token)
    release_chain_lease(redis, token)
    reset_tries(redis, [(b"body 1", None)])

    assert read(redis, entries(100)) == (100, 0)


def test_a_batch_that_is_lost_between_two_links_is_no_try(redis):
    for _ in range(MAX_TRIES + 1):
        token = begin(redis)
        assert split_poison(redis, entries(1), token)[1] == []
        park_chain_lease(redis, token)


def test_a_death_in_a_later_link_counts(redis):
    for _ in range(MAX_TRIES):
        token = begin(redis)
        split_poison(redis, entries(1), token)
        park_chain_lease(redis, token)
        renew_chain_lease(redis, token)

    assert read(redis, entries(1)) == (0, 1)


def test_a_released_lease_is_no_try(redis):
    for _ in range(MAX_TRIES + 1):
        token = begin(redis)
        assert split_poison(redis, entries(1), token)[1] == []
        release_chain_lease(redis, token)


def test_an_old_lease_changes_nothing_about_the_batch_that_is_read_now(redis):
    old = begin(redis)
    split_poison(redis, entries(1), begin(redis))
    park_chain_lease(redis, old)
    release_chain_lease(redis, old)

    split_poison(redis, entries(1), begin(redis))

    assert redis.hget(redis_keys.POISON_TRIES, hash_content(b"body 1", None)) == b"1"


def test_resetting_no_tries_writes_nothing(redis):
    reset_tries(redis, [])

    assert not redis.exists(redis_keys.POISON_TRIES)


def test_the_same_body_under_another_receipt_is_the_same_poison(redis):
    for number in range(MAX_TRIES):
        split_poison(redis, [entry(number, raw=b"kills")], begin(redis))

    assert read(redis, [entry(99, raw=b"kills")]) == (0, 1)


@pytest.mark.parametrize("query", ["a=1", "", "a=\udcff"])
def test_a_body_in_the_query_counts_by_its_query(redis, query):
    split_poison(redis, [entry(1, raw=b"", query=query)], begin(redis))

    split_poison(redis, [entry(2)], begin(redis))

    assert redis.hget(redis_keys.POISON_TRIES, hash_content(b"", query)) == b"1"


def test_two_queries_are_two_bodies():
    assert hash_content(b"", "a=1") != hash_content(b"", "a=2")


def test_tries_expire(redis):
    read(redis, entries(1))
    read(redis, entries(1))

    assert 0 < redis.ttl(redis_keys.POISON_TRIES) <= 24 * 3600


def test_only_the_stores_of_the_batch_that_killed_a_worker_are_read_in_small_batches(redis):
    put(redis, 1, 2, 3, store="poisonous")
    put(redis, 4, 5, store="concerned")
    first = read_next(redis)
    put(redis, *range(6, 20), store="other")
    batches = [read_next(redis) for _ in range(4)]

    assert first == ["r1", "r2", "r3", "r4", "r5"]
    assert batches[0] == [f"r{number}" for number in range(6, 20)]
    assert batches[1:] == [["r4", "r5"], ["r1", "r2", "r3"], []]


def test_without_other_hooks_the_stores_of_a_killed_worker_are_read_one_after_the_other(redis):
    put(redis, *range(1, 13), store="poisonous")
    put(redis, 13, store="concerned")
    read_next(redis)

    assert [read_next(redis) for _ in range(3)] == [[f"r{number}" for number in range(1, 11)], ["r11", "r12"], ["r13"]]


def put(redis, *numbers, store):
    hooks = [RawHook(f"r{number}", store, 1, "order_new", number, b"body %d" % number) for number in numbers]
    stream.add_all(redis, hooks)


def read_next(redis):
    """The receipts of the next batch. Its worker is killed if it is the first of all; otherwise it is finished."""
    redis.delete(redis_keys.INBOX_LEASE)
    token = acquire_chain_lease(redis)
    ready, _ = split_poison(redis, fair_queue.read_turn(redis, 250, 4_000_000).entries, token)
    if redis.exists(redis_keys.POISON_TRIES) or not ready:
        stream.remove(redis, [entry.entry_id for entry in ready])
        reset_tries(redis, [(entry.raw, entry.query) for entry in ready])
        release_chain_lease(redis, token)
    return [entry.receipt for entry in ready]
