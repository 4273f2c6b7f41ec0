"""What is read how often, and in which portions. The way of real poison is tested with the tasks."""

from __future__ import annotations

import pytest

from pipeline import keys
from pipeline.inbox.raw_hook import InboxEntry
from pipeline.inbox.tries import MOST, content_key, forget, portion
from pipeline.inbox.turn import end_turn, hand_turn_on, keep_turn, take_turn


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
    now, too_often = portion(redis, found, begin(redis))
    return len(now), len(too_often)


def begin(redis):
    """The turn of the next reader, however the last one ended."""
    redis.delete(keys.INBOX_LEASE)
    return take_turn(redis)


def test_what_was_never_tried_is_tried_all_together(redis):
    assert read(redis, entries(100)) == (100, 0)


def test_nothing_is_no_portion(redis):
    assert portion(redis, [], 1) == ([], [])


def test_portions_shrink_with_every_try_that_did_not_come_back(redis):
    assert [read(redis, entries(100))[0] for _ in range(3)] == [100, 10, 1]


def test_the_worst_among_many_decides_how_many_are_read(redis):
    portion(redis, [entry(50)], begin(redis))
    assert read(redis, entries(100)) == (10, 0)


def test_what_was_tried_too_often_is_handed_over_and_tried_no_more(redis):
    for _ in range(MOST):
        assert read(redis, entries(1)) == (1, 0)

    assert [read(redis, entries(1)) for _ in range(3)] == [(0, 1)] * 3


def test_the_order_stays(redis):
    portion(redis, entries(20), begin(redis))
    now, _ = portion(redis, entries(20), begin(redis))

    assert now == entries(20)[:10]


def test_what_was_forgotten_begins_anew(redis):
    read(redis, entries(1))
    token = begin(redis)
    portion(redis, entries(1), token)
    end_turn(redis, token)
    forget(redis, [(b"body 1", None)])

    assert read(redis, entries(100)) == (100, 0)


def test_a_batch_that_is_lost_between_two_links_was_in_nobodys_hands(redis):
    for _ in range(MOST + 1):
        token = begin(redis)
        assert portion(redis, entries(1), token)[1] == []
        hand_turn_on(redis, token)


def test_a_death_in_a_later_link_counts(redis):
    for _ in range(MOST):
        token = begin(redis)
        portion(redis, entries(1), token)
        hand_turn_on(redis, token)
        keep_turn(redis, token)

    assert read(redis, entries(1)) == (0, 1)


def test_a_reader_that_gave_its_turn_back_has_not_died(redis):
    for _ in range(MOST + 1):
        token = begin(redis)
        assert portion(redis, entries(1), token)[1] == []
        end_turn(redis, token)


def test_a_turn_that_ended_long_ago_says_nothing_of_the_one_who_reads_now(redis):
    old = begin(redis)
    portion(redis, entries(1), begin(redis))
    hand_turn_on(redis, old)
    end_turn(redis, old)

    portion(redis, entries(1), begin(redis))

    assert redis.hget(keys.TRIES, content_key(b"body 1", None)) == b"1"


def test_forgetting_nothing_asks_nothing(redis):
    forget(redis, [])

    assert not redis.exists(keys.TRIES)


def test_the_same_body_under_another_receipt_is_the_same_poison(redis):
    for number in range(MOST):
        portion(redis, [entry(number, raw=b"kills")], begin(redis))

    assert read(redis, [entry(99, raw=b"kills")]) == (0, 1)


@pytest.mark.parametrize("query", ["a=1", "", "a=\udcff"])
def test_a_body_in_the_query_counts_by_its_query(redis, query):
    portion(redis, [entry(1, raw=b"", query=query)], begin(redis))

    portion(redis, [entry(2)], begin(redis))

    assert redis.hget(keys.TRIES, content_key(b"", query)) == b"1"


def test_two_queries_are_two_bodies():
    assert content_key(b"", "a=1") != content_key(b"", "a=2")


def test_tries_are_not_kept_for_ever(redis):
    read(redis, entries(1))
    read(redis, entries(1))

    assert 0 < redis.ttl(keys.TRIES) <= 24 * 3600
