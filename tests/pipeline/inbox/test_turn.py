"""One holder of the inbox at a time, whose token a later holder's is always larger than."""

from __future__ import annotations

import time

import pytest

from pipeline import keys
from pipeline.inbox.turn import (
    HANDED_MS,
    MISSED_MS,
    TURN_MS,
    end_turn,
    hand_turn_on,
    keep_turn,
    take_turn,
    turn_is_free,
)


@pytest.fixture
def redis(redis_client):
    return redis_client


def run_out(redis):
    """What time does to a turn nobody keeps."""
    redis.delete(keys.INBOX_LEASE)


def test_while_somebody_has_the_turn_nobody_else_gets_it(redis):
    take_turn(redis)

    assert take_turn(redis) is None


def test_a_turn_given_back_is_to_be_had_at_once(redis):
    end_turn(redis, take_turn(redis))

    assert take_turn(redis)


def test_a_turn_runs_out_by_itself(redis):
    take_turn(redis, ttl_ms=20)
    deadline = time.monotonic() + 60

    while take_turn(redis) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_keeping_a_turn_gives_it_the_whole_time_again(redis):
    token = take_turn(redis, ttl_ms=60_000)

    assert keep_turn(redis, token, ttl_ms=600_000)
    assert redis.pttl(keys.INBOX_LEASE) > 60_000


def test_a_turn_that_is_handed_on_waits_longer_and_no_longer_once_it_is_taken_up(redis):
    token = take_turn(redis)
    hand_turn_on(redis, token)
    waits = redis.pttl(keys.INBOX_LEASE)
    keep_turn(redis, token)

    assert waits > TURN_MS >= redis.pttl(keys.INBOX_LEASE)


def handed_long_ago(redis):
    """A turn whose next link should have come, but has not."""
    token = take_turn(redis)
    hand_turn_on(redis, token)
    redis.pexpire(keys.INBOX_LEASE, HANDED_MS - MISSED_MS)
    return token


def test_a_turn_that_waits_for_its_link_is_left_alone(redis):
    hand_turn_on(redis, take_turn(redis))

    assert not turn_is_free(redis)


def test_a_turn_whose_link_does_not_come_is_free_before_its_time(redis):
    lost = handed_long_ago(redis)

    assert turn_is_free(redis)
    assert take_turn(redis) > lost
    assert not keep_turn(redis, lost)


def test_a_message_older_than_the_link_takes_no_turn_away(redis):
    token = handed_long_ago(redis)

    assert take_turn(redis) is None
    assert keep_turn(redis, token)


def test_a_link_that_comes_after_all_goes_on_if_nobody_has_taken_its_turn(redis):
    token = handed_long_ago(redis)
    turn_is_free(redis)

    assert keep_turn(redis, token)


def test_a_turn_somebody_works_in_is_never_free(redis):
    token = handed_long_ago(redis)
    keep_turn(redis, token)

    assert not turn_is_free(redis)


def test_a_turn_nobody_has_is_free(redis):
    end_turn(redis, take_turn(redis))

    assert turn_is_free(redis)


def test_a_jam_costs_one_turn_and_not_every_one(redis):
    handed_long_ago(redis)
    turn_is_free(redis)
    end_turn(redis, take_turn(redis))
    handed_long_ago(redis)

    assert not turn_is_free(redis)


def test_who_was_outrun_hands_nothing_on(redis):
    token = take_turn(redis)
    run_out(redis)
    other = take_turn(redis)
    hand_turn_on(redis, token)

    assert keep_turn(redis, other)
    assert redis.pttl(keys.INBOX_LEASE) <= TURN_MS


def test_every_token_is_larger_than_those_before(redis):
    tokens = []
    for _ in range(50):
        tokens.append(take_turn(redis))
        end_turn(redis, tokens[-1])

    assert tokens == sorted(set(tokens))


def test_tokens_grow_even_if_the_clock_goes_back(redis):
    far = 4_000_000_000_000_000  # µs, in the year 2096
    redis.set(keys.INBOX_TOKEN, far)

    assert take_turn(redis) == far + 1


def test_tokens_grow_even_if_redis_was_emptied(redis):
    before = take_turn(redis)
    redis.flushall()

    assert take_turn(redis) > before


def test_a_turn_that_ran_out_can_be_kept_if_nobody_has_had_one_since(redis):
    token = take_turn(redis)
    run_out(redis)

    assert keep_turn(redis, token)
    assert take_turn(redis) is None


def test_a_turn_that_went_to_somebody_else_cannot_be_kept(redis):
    token = take_turn(redis)
    run_out(redis)
    other = take_turn(redis)

    assert not keep_turn(redis, token)
    assert keep_turn(redis, other)


def test_a_turn_somebody_else_has_had_meanwhile_cannot_be_kept(redis):
    token = take_turn(redis)
    run_out(redis)
    end_turn(redis, take_turn(redis))

    assert not keep_turn(redis, token)


def test_a_turn_that_was_given_back_cannot_be_kept(redis):
    token = take_turn(redis)
    end_turn(redis, token)

    assert not keep_turn(redis, token)


def test_an_emptied_redis_keeps_nobodys_turn(redis):
    token = take_turn(redis)
    redis.flushall()

    assert not keep_turn(redis, token)


def test_who_was_outrun_takes_nobodys_turn_away(redis):
    token = take_turn(redis)
    run_out(redis)
    other = take_turn(redis)
    end_turn(redis, token)

    assert keep_turn(redis, other)


@pytest.mark.parametrize("had_by_another", [False, True])
def test_whoever_asks_for_the_turn_ends_the_kick(redis, had_by_another):
    if had_by_another:
        take_turn(redis)
    redis.set(keys.KICK, 1)

    take_turn(redis)

    assert not redis.exists(keys.KICK)
