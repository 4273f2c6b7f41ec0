"""One chain holds the inbox at a time, and a later holder's token is always larger."""

from __future__ import annotations

import pytest

from pipeline.inbox.chain_lease import (
    LEASE_TTL_MS,
    MAX_SWEEP_AGE_MS,
    PARKED_TTL_MS,
    acquire_chain_lease,
    is_chain_lease_free,
    park_chain_lease,
    release_chain_lease,
    renew_chain_lease,
)
from pipeline.infra import redis_keys
from tests.waiting import wait_until


@pytest.fixture
def redis(redis_client):
    return redis_client


def expire_lease(redis):
    """As time does to a lease that is not renewed."""
    redis.delete(redis_keys.INBOX_LEASE)


def park_long_ago(redis):
    """A lease whose next link should have come, but has not."""
    token = acquire_chain_lease(redis)
    park_chain_lease(redis, token)
    redis.pexpire(redis_keys.INBOX_LEASE, PARKED_TTL_MS - MAX_SWEEP_AGE_MS)
    return token


def test_a_held_lease_is_acquired_by_no_other_chain(redis):
    acquire_chain_lease(redis)

    assert acquire_chain_lease(redis) is None


def test_a_released_lease_can_be_acquired_at_once(redis):
    release_chain_lease(redis, acquire_chain_lease(redis))

    assert acquire_chain_lease(redis)


def test_a_lease_runs_out_by_itself(redis):
    acquire_chain_lease(redis, ttl_ms=20)

    assert wait_until(lambda: acquire_chain_lease(redis))


def test_renewing_a_lease_restarts_its_time(redis):
    token = acquire_chain_lease(redis, ttl_ms=60_000)

    assert renew_chain_lease(redis, token, ttl_ms=600_000)
    assert redis.pttl(redis_keys.INBOX_LEASE) > 60_000


def test_a_parked_lease_lasts_longer_until_it_is_renewed(redis):
    token = acquire_chain_lease(redis)
    park_chain_lease(redis, token)
    parked_ms = redis.pttl(redis_keys.INBOX_LEASE)
    renew_chain_lease(redis, token)

    assert parked_ms > LEASE_TTL_MS >= redis.pttl(redis_keys.INBOX_LEASE)


def test_a_parked_lease_is_not_free(redis):
    park_chain_lease(redis, acquire_chain_lease(redis))

    assert not is_chain_lease_free(redis)


def test_a_lease_whose_link_does_not_come_is_free_before_it_runs_out(redis):
    lost = park_long_ago(redis)

    assert is_chain_lease_free(redis)
    assert acquire_chain_lease(redis) > lost
    assert not renew_chain_lease(redis, lost)


def test_a_message_older_than_the_link_takes_no_lease_away(redis):
    token = park_long_ago(redis)

    assert acquire_chain_lease(redis) is None
    assert renew_chain_lease(redis, token)


def test_a_link_that_comes_after_all_goes_on_if_no_other_chain_has_acquired_the_lease(redis):
    token = park_long_ago(redis)
    is_chain_lease_free(redis)

    assert renew_chain_lease(redis, token)


def test_a_lease_with_a_link_at_work_is_never_free(redis):
    token = park_long_ago(redis)
    renew_chain_lease(redis, token)

    assert not is_chain_lease_free(redis)


def test_a_released_lease_is_free(redis):
    release_chain_lease(redis, acquire_chain_lease(redis))

    assert is_chain_lease_free(redis)


def test_a_jam_costs_one_lease_and_not_every_one(redis):
    park_long_ago(redis)
    is_chain_lease_free(redis)
    release_chain_lease(redis, acquire_chain_lease(redis))
    park_long_ago(redis)

    assert not is_chain_lease_free(redis)


def test_a_holder_that_was_overtaken_parks_nothing(redis):
    token = acquire_chain_lease(redis)
    expire_lease(redis)
    other = acquire_chain_lease(redis)
    park_chain_lease(redis, token)

    assert renew_chain_lease(redis, other)
    assert redis.pttl(redis_keys.INBOX_LEASE) <= LEASE_TTL_MS


def test_every_token_is_larger_than_those_before(redis):
    tokens = []
    for _ in range(50):
        tokens.append(acquire_chain_lease(redis))
        release_chain_lease(redis, tokens[-1])

    assert tokens == sorted(set(tokens))


def test_tokens_grow_even_if_the_clock_goes_back(redis):
    future = 4_000_000_000_000_000  # µs, in the year 2096
    redis.set(redis_keys.INBOX_TOKEN, future)

    assert acquire_chain_lease(redis) == future + 1


def test_tokens_grow_even_if_redis_was_emptied(redis):
    before = acquire_chain_lease(redis)
    redis.flushall()

    assert acquire_chain_lease(redis) > before


def test_a_lease_that_ran_out_can_be_renewed_if_no_other_chain_has_held_it_since(redis):
    token = acquire_chain_lease(redis)
    expire_lease(redis)

    assert renew_chain_lease(redis, token)
    assert acquire_chain_lease(redis) is None


def test_a_lease_that_another_chain_holds_cannot_be_renewed(redis):
    token = acquire_chain_lease(redis)
    expire_lease(redis)
    other = acquire_chain_lease(redis)

    assert not renew_chain_lease(redis, token)
    assert renew_chain_lease(redis, other)


def test_a_lease_that_another_chain_has_held_since_cannot_be_renewed(redis):
    token = acquire_chain_lease(redis)
    expire_lease(redis)
    release_chain_lease(redis, acquire_chain_lease(redis))

    assert not renew_chain_lease(redis, token)


def test_a_released_lease_cannot_be_renewed(redis):
    token = acquire_chain_lease(redis)
    release_chain_lease(redis, token)

    assert not renew_chain_lease(redis, token)


def test_no_lease_survives_an_emptied_redis(redis):
    token = acquire_chain_lease(redis)
    redis.flushall()

    assert not renew_chain_lease(redis, token)


def test_a_holder_that_was_overtaken_releases_nothing(redis):
    token = acquire_chain_lease(redis)
    expire_lease(redis)
    other = acquire_chain_lease(redis)
    release_chain_lease(redis, token)

    assert renew_chain_lease(redis, other)


@pytest.mark.parametrize("is_held", [False, True])
def test_asking_for_the_lease_ends_the_wake_up(redis, is_held):
    if is_held:
        acquire_chain_lease(redis)
    redis.set(redis_keys.WAKEUP, 1)

    acquire_chain_lease(redis)

    assert not redis.exists(redis_keys.WAKEUP)
