"""A rate that whole calls in whole seconds would waste."""

from __future__ import annotations

import fakeredis
import pytest

from pipeline.lanes.budget import Budget

NAME = "cratewire:budget:test:account"


@pytest.fixture
def redis():
    return fakeredis.FakeRedis()


def test_a_rate_between_whole_calls_is_not_rounded_down(redis):
    slow = Budget(redis, NAME, 0.19)

    assert slow.acquire() == 0.0
    assert 0 < slow.acquire() <= 1 / 0.19 + 0.001  # one call in six whole seconds would be a seventh less


def test_urgent_calls_go_first_between_spaced_ones_too(redis):
    urgent, other = Budget(redis, NAME, 0.19, urgent=True), Budget(redis, NAME, 0.19)
    other.acquire()
    urgent.acquire()
    redis.delete(f"{NAME}:debt")

    assert other.acquire() > 0
    assert urgent.acquire() == 0.0
