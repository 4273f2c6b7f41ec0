"""What is read how often, and in which portions. The way of real poison is tested with the tasks."""

from __future__ import annotations

import pytest

from pipeline.inbox.chain_lease import acquire_chain_lease, park_chain_lease, release_chain_lease, renew_chain_lease
from pipeline.inbox.entry import InboxEntry
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
    """How many are tried, and how many have been tried too often; then the reader dies."""
    now, too_often = split_poison(redis, found, begin(redis))
    return len(now), len(too_often)


def begin(redis):
    """The turn of the next reader, however the last one ended."""
    redis.delete(redis_keys.INBOX_LEASE)
    return acquire_chain_lease(redis)


def test_what_was_never_tried_is_tried_all_together(redis):
    assert read(redis, entries(100)) == (100, 0)


def test_nothing_is_no_portion(redis):
    assert split_poison(redis, [], 1) == ([], [])


def test_portions_shrink_with_every_try_that_did_not_come_back(redis):
    assert [read(redis, entries(100))[0] for _ in range(3)] == [100, 10, 1]


def test_the_worst_among_many_decides_how_many_are_read(redis):
    split_poison(redis, [entry(50)], begin(redis))
    assert read(redis, entries(100)) == (10, 0)


def test_what_was_tried_too_often_is_handed_over_and_tried_no_more(redis):
    for _ in range(MAX_TRIES):
        assert read(redis, entries(1)) == (1, 0)

    assert [read(redis, entries(1)) for _ in range(3)] == [(0, 1)] * 3


def test_the_order_stays(redis):
    split_poison(redis, entries(20), begin(redis))
    now, _ = split_poison(redis, entries(20), begin(redis))

    assert now == entries(20)[:10]


def test_what_was_forgotten_begins_anew(redis):
    read(redis, entries(1))
    token = begin(redis)
    split_poison(redis, entries(1), token)
    release_chain_lease(redis, token)
    reset_tries(redis, [(b"body 1", None)])

    assert read(redis, entries(100)) == (100, 0)


def test_a_batch_that_is_lost_between_two_links_was_in_nobodys_hands(redis):
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


def test_a_reader_that_gave_its_turn_back_has_not_died(redis):
    for _ in range(MAX_TRIES + 1):
        token = begin(redis)
        assert split_poison(redis, entries(1), token)[1] == []
        release_chain_lease(redis, token)


def test_a_turn_that_ended_long_ago_says_nothing_of_the_one_who_reads_now(redis):
    old = begin(redis)
    split_poison(redis, entries(1), begin(redis))
    park_chain_lease(redis, old)
    release_chain_lease(redis, old)

    split_poison(redis, entries(1), begin(redis))

    assert redis.hget(redis_keys.POISON_TRIES, hash_content(b"body 1", None)) == b"1"


def test_forgetting_nothing_asks_nothing(redis):
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


def test_tries_are_not_kept_for_ever(redis):
    read(redis, entries(1))
    read(redis, entries(1))

    assert 0 < redis.ttl(redis_keys.POISON_TRIES) <= 24 * 3600
