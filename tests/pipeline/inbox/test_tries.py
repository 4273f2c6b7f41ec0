"""What is read how often, and in which portions. The way of real poison is tested with the tasks."""

from __future__ import annotations

import pytest

from pipeline import keys
from pipeline.inbox.raw_hook import InboxEntry
from pipeline.inbox.tries import MOST, content_key, forget, portion


def entry(number, raw=None, query=None):
    body = f"body {number}".encode() if raw is None else raw
    return InboxEntry(f"r{number}", "acme", 1, "order_new", number, body, query, entry_id=f"{number}-0")


def entries(count, first=1):
    return [entry(number) for number in range(first, first + count)]


def read(redis, found):
    """How many are tried, and how many have been tried too often."""
    now, too_often = portion(redis, found)
    return len(now), len(too_often)


def test_what_was_never_tried_is_tried_all_together(redis_client):
    assert read(redis_client, entries(100)) == (100, 0)


def test_nothing_is_no_portion(redis_client):
    assert portion(redis_client, []) == ([], [])


def test_portions_shrink_with_every_try_that_did_not_come_back(redis_client):
    assert [read(redis_client, entries(100))[0] for _ in range(3)] == [100, 10, 1]


def test_the_worst_among_many_decides_how_many_are_read(redis_client):
    portion(redis_client, [entry(50)])
    assert read(redis_client, entries(100)) == (10, 0)


def test_what_was_tried_too_often_is_handed_over_and_tried_no_more(redis_client):
    for _ in range(MOST):
        assert read(redis_client, entries(1)) == (1, 0)

    assert [read(redis_client, entries(1)) for _ in range(3)] == [(0, 1)] * 3


def test_the_order_stays(redis_client):
    portion(redis_client, entries(20))
    now, _ = portion(redis_client, entries(20))

    assert now == entries(20)[:10]


def test_what_was_forgotten_begins_anew(redis_client):
    for _ in range(2):
        portion(redis_client, entries(1))
    forget(redis_client, [(b"body 1", None)])

    assert read(redis_client, entries(100)) == (100, 0)


def test_forgetting_nothing_asks_nothing(redis_client):
    forget(redis_client, [])

    assert not redis_client.exists(keys.TRIES)


def test_the_same_body_under_another_receipt_is_the_same_poison(redis_client):
    for number in range(MOST):
        portion(redis_client, [entry(number, raw=b"kills")])

    assert read(redis_client, [entry(99, raw=b"kills")]) == (0, 1)


@pytest.mark.parametrize("query", ["a=1", "", "a=\udcff"])
def test_a_body_in_the_query_counts_by_its_query(redis_client, query):
    portion(redis_client, [entry(1, raw=b"", query=query)])

    assert redis_client.hget(keys.TRIES, content_key(b"", query)) == b"1"


def test_two_queries_are_two_bodies():
    assert content_key(b"", "a=1") != content_key(b"", "a=2")


def test_tries_are_not_kept_for_ever(redis_client):
    portion(redis_client, entries(1))

    assert 0 < redis_client.ttl(keys.TRIES) <= 24 * 3600
