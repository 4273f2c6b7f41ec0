"""One holder of the inbox at a time, whose token a later holder's is always larger than."""

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


def run_out(redis):
    """What time does to a turn nobody keeps."""
    redis.delete(redis_keys.INBOX_LEASE)


def test_while_somebody_has_the_turn_nobody_else_gets_it(redis):
    acquire_chain_lease(redis)

    assert acquire_chain_lease(redis) is None


def test_a_turn_given_back_is_to_be_had_at_once(redis):
    release_chain_lease(redis, acquire_chain_lease(redis))

    assert acquire_chain_lease(redis)


def test_a_turn_runs_out_by_itself(redis):
    acquire_chain_lease(redis, ttl_ms=20)

    assert wait_until(lambda: acquire_chain_lease(redis))


def test_keeping_a_turn_gives_it_the_whole_time_again(redis):
    token = acquire_chain_lease(redis, ttl_ms=60_000)

    assert renew_chain_lease(redis, token, ttl_ms=600_000)
    assert redis.pttl(redis_keys.INBOX_LEASE) > 60_000


def test_a_turn_that_is_handed_on_waits_longer_and_no_longer_once_it_is_taken_up(redis):
    token = acquire_chain_lease(redis)
    park_chain_lease(redis, token)
    waits = redis.pttl(redis_keys.INBOX_LEASE)
    renew_chain_lease(redis, token)

    assert waits > LEASE_TTL_MS >= redis.pttl(redis_keys.INBOX_LEASE)


def handed_long_ago(redis):
    """A turn whose next link should have come, but has not."""
    token = acquire_chain_lease(redis)
    park_chain_lease(redis, token)
    redis.pexpire(redis_keys.INBOX_LEASE, PARKED_TTL_MS - MAX_SWEEP_AGE_MS)
    return token


def test_a_turn_that_waits_for_its_link_is_left_alone(redis):
    park_chain_lease(redis, acquire_chain_lease(redis))

    assert not is_chain_lease_free(redis)


def test_a_turn_whose_link_does_not_come_is_free_before_its_time(redis):
    lost = handed_long_ago(redis)

    assert is_chain_lease_free(redis)
    assert acquire_chain_lease(redis) > lost
    assert not renew_chain_lease(redis, lost)


def test_a_message_older_than_the_link_takes_no_turn_away(redis):
    token = handed_long_ago(redis)

    assert acquire_chain_lease(redis) is None
    assert renew_chain_lease(redis, token)


def test_a_link_that_comes_after_all_goes_on_if_nobody_has_taken_its_turn(redis):
    token = handed_long_ago(redis)
    is_chain_lease_free(redis)

    assert renew_chain_lease(redis, token)


def test_a_turn_somebody_works_in_is_never_free(redis):
    token = handed_long_ago(redis)
    renew_chain_lease(redis, token)

    assert not is_chain_lease_free(redis)


def test_a_turn_nobody_has_is_free(redis):
    release_chain_lease(redis, acquire_chain_lease(redis))

    assert is_chain_lease_free(redis)


def test_a_jam_costs_one_turn_and_not_every_one(redis):
    handed_long_ago(redis)
    is_chain_lease_free(redis)
    release_chain_lease(redis, acquire_chain_lease(redis))
    handed_long_ago(redis)

    assert not is_chain_lease_free(redis)


def test_who_was_outrun_hands_nothing_on(redis):
    token = acquire_chain_lease(redis)
    run_out(redis)
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
    far = 4_000_000_000_000_000  # µs, in the year 2096
    redis.set(redis_keys.INBOX_TOKEN, far)

    assert acquire_chain_lease(redis) == far + 1


def test_tokens_grow_even_if_redis_was_emptied(redis):
    before = acquire_chain_lease(redis)
    redis.flushall()

    assert acquire_chain_lease(redis) > before


def test_a_turn_that_ran_out_can_be_kept_if_nobody_has_had_one_since(redis):
    token = acquire_chain_lease(redis)
    run_out(redis)

    assert renew_chain_lease(redis, token)
    assert acquire_chain_lease(redis) is None


def test_a_turn_that_went_to_somebody_else_cannot_be_kept(redis):
    token = acquire_chain_lease(redis)
    run_out(redis)
    other = acquire_chain_lease(redis)

    assert not renew_chain_lease(redis, token)
    assert renew_chain_lease(redis, other)


def test_a_turn_somebody_else_has_had_meanwhile_cannot_be_kept(redis):
    token = acquire_chain_lease(redis)
    run_out(redis)
    release_chain_lease(redis, acquire_chain_lease(redis))

    assert not renew_chain_lease(redis, token)


def test_a_turn_that_was_given_back_cannot_be_kept(redis):
    token = acquire_chain_lease(redis)
    release_chain_lease(redis, token)

    assert not renew_chain_lease(redis, token)


def test_an_emptied_redis_keeps_nobodys_turn(redis):
    token = acquire_chain_lease(redis)
    redis.flushall()

    assert not renew_chain_lease(redis, token)


def test_who_was_outrun_takes_nobodys_turn_away(redis):
    token = acquire_chain_lease(redis)
    run_out(redis)
    other = acquire_chain_lease(redis)
    release_chain_lease(redis, token)

    assert renew_chain_lease(redis, other)


@pytest.mark.parametrize("had_by_another", [False, True])
def test_whoever_asks_for_the_turn_ends_the_kick(redis, had_by_another):
    if had_by_another:
        acquire_chain_lease(redis)
    redis.set(redis_keys.WAKEUP, 1)

    acquire_chain_lease(redis)

    assert not redis.exists(redis_keys.WAKEUP)
