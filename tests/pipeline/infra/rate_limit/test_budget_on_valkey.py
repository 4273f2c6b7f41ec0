"""The shared rate budget against a real server: scripts, expiry and several threads at once."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pipeline.infra.rate_limit.budget import Budget
from tests.waiting import wait_until

NAME = "cratewire:budget:test:account"


@pytest.fixture
def budget(redis_client):
    return Budget(redis_client, NAME, 20)


def test_threads_together_take_no_more_than_the_rate(redis_client):
    """A whole minute's budget in one window, so that no slow machine lets a second one begin."""
    per_minute = 1 / 60
    budgets = [Budget(redis_client, NAME, per_minute) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda at: budgets[at % 8].acquire(), range(64)))

    assert taken.count(0.0) == 1


def test_the_window_opens_again_after_the_wait(budget):
    budget.acquire(20)

    assert wait_until(lambda: budget.acquire() == 0.0)


def test_a_pause_ends_by_itself(budget):
    budget.pause(None)
    paused = budget.acquire()

    assert 0 < paused <= 1
    assert wait_until(lambda: budget.acquire() == 0.0)


def test_refusals_at_once_from_all_threads_lower_the_rate_once(redis_client):
    budgets = [Budget(redis_client, NAME, 20) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda budget: budget.pause(30), budgets))

    assert budgets[0].factor() == 0.8


def test_the_longest_pause_fits_the_server(budget):
    budget.pause(10**12)

    assert 86_390 < budget.pause_left_s() <= 86_400


def test_success_lifts_the_rate_and_in_the_end_leaves_nothing(redis_client):
    seconds = iter(range(0, 10_000, 2))
    budget = Budget(redis_client, NAME, 20, lambda: next(seconds) * 1_000_000)
    budget.pause(None)
    redis_client.delete(f"{NAME}:pause")

    for _ in range(60):
        budget.record_success()

    assert redis_client.keys("*") == []


def test_an_emptied_server_knows_the_scripts_again(redis_client, budget):
    budget.acquire()
    budget.pause(1)
    redis_client.flushall()
    redis_client.script_flush()

    budget.pause(60)
    budget.record_success()

    assert budget.acquire() > 50


def test_a_server_that_is_away_says_so_itself(unused_port):
    budget = Budget(redis.Redis(port=unused_port, retry=Retry(NoBackoff(), 0)), NAME, 20)

    with pytest.raises(redis.ConnectionError):
        budget.acquire()


@pytest.fixture
def unused_port():
    with socket.socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
