"""Rejected hooks are counted by store and status, over all processes."""

from __future__ import annotations

import pytest
from redis import ConnectionError as RedisAway
from redis import Redis

from pipeline.inbox.rejections import REJECTIONS_TTL_S, RejectedHooks, RejectionCounter, get_rejected_hooks
from pipeline.infra import redis_keys


def reject(redis: Redis, *rejections: tuple[str, str, int]) -> None:
    counter = RejectionCounter()
    for rejection in rejections:
        counter.add(*rejection)
    counter.flush(redis)


def test_the_rejections_of_several_processes_are_added_up(redis_client: Redis):
    reject(redis_client, ("acme", "404", 10), ("acme", "404", 20))
    reject(redis_client, ("acme", "404", 30))

    assert get_rejected_hooks(redis_client, 0) == [RejectedHooks("acme", "404", 3, 30)]


def test_stores_and_statuses_are_kept_apart_and_the_newest_comes_first(redis_client: Redis):
    reject(redis_client, ("acme", "404", 10), ("acme", "405", 30), ("other-shop", "404", 20))

    found = [(rejected.store, rejected.status) for rejected in get_rejected_hooks(redis_client, 0)]
    assert found == [("acme", "405"), ("other-shop", "404"), ("acme", "404")]


def test_earlier_rejections_are_left_out(redis_client: Redis):
    reject(redis_client, ("acme", "404", 10), ("acme", "405", 30))

    assert [rejected.status for rejected in get_rejected_hooks(redis_client, 30)] == ["405"]


def test_rejections_expire_some_time_after_the_last(redis_client: Redis):
    reject(redis_client, ("acme", "404", 10))

    assert 0 < redis_client.ttl(redis_keys.REJECTED_HOOKS) <= REJECTIONS_TTL_S


def test_counts_that_could_not_be_written_are_written_the_next_time(redis_client: Redis):
    class Away:
        def pipeline(self, **_: object) -> None:
            raise RedisAway

    counter = RejectionCounter()
    counter.add("acme", "404", 10)
    with pytest.raises(RedisAway):
        counter.flush(Away())  # type: ignore[arg-type]  # as far as it is used
    counter.add("acme", "404", 5)
    counter.flush(redis_client)
    counter.flush(redis_client)

    assert get_rejected_hooks(redis_client, 0) == [RejectedHooks("acme", "404", 2, 10)]
