"""Hooks that were not taken are written down by store and status, and added up over processes."""

from __future__ import annotations

import pytest
from redis import ConnectionError as RedisAway
from redis import Redis

from pipeline.inbox.rejections import REJECTIONS_TTL_S, RejectedHooks, RejectionCounter, get_rejected_hooks
from pipeline.infra import redis_keys


def shared(redis: Redis, *noted: tuple[str, str, int]) -> None:
    tally = RejectionCounter()
    for one in noted:
        tally.note(*one)
    tally.share(redis)


def test_what_several_processes_turned_away_is_added_up(redis_client: Redis):
    shared(redis_client, ("acme", "404", 10), ("acme", "404", 20))
    shared(redis_client, ("acme", "404", 30))

    assert get_rejected_hooks(redis_client, 0) == [RejectedHooks("acme", "404", 3, 30)]


def test_stores_and_statuses_are_kept_apart_and_the_newest_comes_first(redis_client: Redis):
    shared(redis_client, ("acme", "404", 10), ("acme", "405", 30), ("other-shop", "404", 20))

    found = [(one.store, one.status) for one in get_rejected_hooks(redis_client, 0)]
    assert found == [("acme", "405"), ("other-shop", "404"), ("acme", "404")]


def test_what_was_turned_away_before_is_left_out(redis_client: Redis):
    shared(redis_client, ("acme", "404", 10), ("acme", "405", 30))

    assert [one.status for one in get_rejected_hooks(redis_client, 30)] == ["405"]


def test_it_is_forgotten_some_time_after_the_last(redis_client: Redis):
    shared(redis_client, ("acme", "404", 10))

    assert 0 < redis_client.ttl(redis_keys.REJECTED_HOOKS) <= REJECTIONS_TTL_S


def test_what_could_not_be_written_down_is_written_the_next_time(redis_client: Redis):
    class Away:
        def pipeline(self, **_: object) -> None:
            raise RedisAway

    tally = RejectionCounter()
    tally.note("acme", "404", 10)
    with pytest.raises(RedisAway):
        tally.share(Away())  # type: ignore[arg-type]  # as far as it is used
    tally.note("acme", "404", 5)
    tally.share(redis_client)
    tally.share(redis_client)

    assert get_rejected_hooks(redis_client, 0) == [RejectedHooks("acme", "404", 2, 10)]
