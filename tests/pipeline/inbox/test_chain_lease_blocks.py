"""A link holds the chain lease for a block, and passes it on, gives it back or keeps it."""

from __future__ import annotations

import pytest

from pipeline.core.errors import StaleFence
from pipeline.inbox import poison, stream
from pipeline.inbox.chain_lease import (
    RENEW_AFTER_S,
    ChainLease,
    acquire_chain_lease,
    renew_chain_lease,
    resume_chain_lease,
    take_chain_lease,
)
from pipeline.infra import redis_keys
from tests.pipeline.inbox.hooks import hook

BODY = (b"a body", None)


@pytest.fixture
def redis(redis_client):
    return redis_client


def expire_lease(redis):
    """As time does to a lease that is not renewed."""
    redis.delete(redis_keys.INBOX_LEASE)


def call(action):
    """A retry for a Redis that is there."""
    action()


def test_a_block_gets_no_lease_while_another_chain_holds_it(redis):
    acquire_chain_lease(redis)

    with take_chain_lease(redis, call) as lease:
        assert lease is None
    assert acquire_chain_lease(redis) is None


def test_a_block_releases_the_lease_at_its_end(redis):
    with take_chain_lease(redis, call):
        assert acquire_chain_lease(redis) is None

    assert acquire_chain_lease(redis)


def test_a_block_that_parks_the_lease_leaves_it_to_the_next(redis):
    with take_chain_lease(redis, call) as lease:
        lease.park()
    assert acquire_chain_lease(redis) is None

    with resume_chain_lease(redis, lease.token, call, list) as resumed:
        assert resumed.token == lease.token
    assert acquire_chain_lease(redis)


def test_a_block_that_fails_gives_the_lease_back_though_it_was_parked(redis):
    def park_and_fail():
        with take_chain_lease(redis, call) as lease:
            lease.park()
            raise ValueError("after it")

    with pytest.raises(ValueError, match="after it"):
        park_and_fail()

    assert acquire_chain_lease(redis)


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_a_block_that_a_body_may_have_ended_keeps_the_lease(redis, error):
    with pytest.raises(error), take_chain_lease(redis, call):
        raise error

    assert acquire_chain_lease(redis) is None


def count_try(redis):
    redis.hset(redis_keys.POISON_TRIES, poison.hash_content(*BODY), 1)


def test_a_resumed_block_that_fails_gives_the_lease_back_and_resets_the_tries(redis):
    token = acquire_chain_lease(redis)
    count_try(redis)

    with pytest.raises(ValueError, match="any"), resume_chain_lease(redis, token, call, lambda: [BODY]):
        raise ValueError("any")

    assert not redis.exists(redis_keys.POISON_TRIES)
    assert acquire_chain_lease(redis)


@pytest.mark.parametrize(("failures", "is_given_back"), [(Exception, False), (BaseException, True)])
def test_a_block_gives_the_lease_back_for_the_failures_of_its_link(redis, failures, is_given_back):
    def fail():
        with take_chain_lease(redis, call) as lease:
            lease.failures = failures
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()

    assert (acquire_chain_lease(redis) is not None) == is_given_back


def test_a_lease_that_another_chain_has_held_since_cannot_be_resumed(redis):
    token = acquire_chain_lease(redis)
    expire_lease(redis)
    other = acquire_chain_lease(redis)
    count_try(redis)

    with pytest.raises(StaleFence), resume_chain_lease(redis, token, call, lambda: [BODY]):
        pytest.fail("the block must not run")

    assert not redis.exists(redis_keys.POISON_TRIES)
    assert renew_chain_lease(redis, other)


def test_a_young_lease_is_not_renewed_between_links(redis):
    lease = ChainLease(redis, acquire_chain_lease(redis), clock=iter([0.0, RENEW_AFTER_S - 0.1]).__next__)
    expire_lease(redis)

    lease.renew()

    assert not redis.exists(redis_keys.INBOX_LEASE)


def test_an_older_lease_is_renewed_between_links(redis):
    lease = ChainLease(redis, acquire_chain_lease(redis), clock=iter([0.0, RENEW_AFTER_S, 0.0]).__next__)
    expire_lease(redis)

    lease.renew()

    assert acquire_chain_lease(redis) is None


def test_a_link_whose_lease_another_chain_has_held_does_not_begin(redis):
    lease = ChainLease(redis, acquire_chain_lease(redis), clock=iter([0.0, RENEW_AFTER_S]).__next__)
    expire_lease(redis)
    acquire_chain_lease(redis)

    with pytest.raises(StaleFence):
        lease.renew()


def test_a_finished_batch_leaves_nothing_behind_and_the_lease_is_free(redis):
    stream.ensure_group(redis)
    stream.add_all(redis, [hook(1), hook(2), hook(3)])
    with take_chain_lease(redis, call) as lease:
        entries = stream.read(redis, 2, 1_000_000)
        poison.split_poison(redis, entries, lease.token)

        lease.finish([entry.entry_id for entry in entries], [(entry.raw, entry.query) for entry in entries])

    assert stream.depth(redis) == 1
    assert redis.xpending(redis_keys.INBOX, redis_keys.INBOX_GROUP)["pending"] == 0
    assert not redis.exists(redis_keys.POISON_TRIES, redis_keys.CURRENT_BATCH, redis_keys.INBOX_LEASE)
    assert acquire_chain_lease(redis) > lease.token


@pytest.mark.parametrize(("waiting", "may_go_on", "is_held"), [(1, True, True), (1, False, False), (0, True, False)])
def test_after_a_batch_the_lease_is_held_if_hooks_wait_and_the_holder_may_go_on(redis, waiting, may_go_on, is_held):
    stream.add_all(redis, [hook(number) for number in range(waiting)])
    with take_chain_lease(redis, call) as lease:
        assert lease.finish([], [], may_go_on=may_go_on) == waiting
        assert redis.exists(redis_keys.INBOX_LEASE) == is_held

    assert not redis.exists(redis_keys.INBOX_LEASE)


def test_no_holder_goes_on_while_hooks_are_moved_to_other_partitions(redis):
    stream.add_all(redis, [hook(1)])
    with take_chain_lease(redis, call) as lease:
        redis.hset(redis_keys.PARTITIONS, "next", 4)
        lease.finish([], [], may_go_on=True)

    assert lease.is_passed_on
    assert not redis.exists(redis_keys.INBOX_LEASE)


def test_a_batch_that_is_done_counts_no_try_while_the_next_one_is_read(redis):
    stream.add_all(redis, [hook(1), hook(2)])
    with take_chain_lease(redis, call) as lease:
        entries = stream.read(redis, 1, 1_000_000)
        poison.split_poison(redis, entries, lease.token)

        lease.finish([entries[0].entry_id], [], may_go_on=True)

        assert not redis.exists(redis_keys.CURRENT_BATCH)


@pytest.mark.parametrize("may_go_on", [True, False])
def test_a_holder_that_was_overtaken_finishes_without_releasing_the_lease_of_another(redis, may_go_on):
    stream.add_all(redis, [hook(1)])
    with take_chain_lease(redis, call) as lease:
        expire_lease(redis)
        other = acquire_chain_lease(redis)

        lease.finish([], [], may_go_on=may_go_on)

    assert lease.is_passed_on
    assert int(redis.get(redis_keys.INBOX_LEASE)) == other
