"""Budgets that are asked together answer as each of them would by itself."""

from __future__ import annotations

import pytest
from redis import Redis

from pipeline.infra.rate_limit.budget import Budget
from pipeline.infra.rate_limit.budgets import acquire_each


def budget(redis: Redis, name: str, per_second: float = 8, **more: bool) -> Budget:
    return Budget(redis, f"cratewire:budget:test:{name}", per_second, **more)


def test_nothing_is_asked_of_no_budgets(redis_client):
    assert acquire_each(redis_client, []) == []


def test_budgets_with_room_are_taken_from(redis_client):
    one, other = budget(redis_client, "one", 2), budget(redis_client, "other", 2)

    assert acquire_each(redis_client, [(one, 1), (other, 2)]) == [0.0, 0.0]
    assert (one.acquire(), other.acquire() > 0) == (0.0, True)


def test_lanes_of_one_account_share_its_rate(redis_client):
    same = [(budget(redis_client, "one", 2), 1) for _ in range(3)]

    assert [wait > 0 for wait in acquire_each(redis_client, same)] == [False, False, True]


@pytest.mark.parametrize("stop", ["pause", "hold_off"])
def test_a_stopped_account_stops_no_other(redis_client, stop):
    one, other = budget(redis_client, "one"), budget(redis_client, "other")
    getattr(one, stop)(30.0)

    waits = acquire_each(redis_client, [(one, 1), (other, 1)])

    assert (29 < waits[0] <= 30, waits[1]) == (True, 0.0)


def test_a_debt_stops_its_account(redis_client):
    one, other = budget(redis_client, "one", 2), budget(redis_client, "other", 2)
    acquire_each(redis_client, [(one, 6), (other, 1)])

    assert [wait > 0 for wait in acquire_each(redis_client, [(one, 1), (other, 1)])] == [True, False]


def test_an_urgent_callers_turn_is_kept(redis_client):
    urgent, one, other = (
        budget(redis_client, "one", 1, urgent=True),
        budget(redis_client, "one", 1),
        budget(redis_client, "two"),
    )
    urgent.acquire()
    urgent.acquire()

    assert [wait > 0 for wait in acquire_each(redis_client, [(one, 1), (other, 1)])] == [True, False]


def test_a_lowered_rate_recovers_with_successes(redis_client):
    one, other = budget(redis_client, "one"), budget(redis_client, "other")
    one.pause(1.0)
    redis_client.delete("cratewire:budget:test:one:pause")
    lowered = one.factor()
    acquire_each(redis_client, [(one, 1), (other, 1)])
    redis_client.hset("cratewire:budget:test:one:throttle", "climbed_at", 0)
    one.record_success()

    assert lowered < one.factor()
