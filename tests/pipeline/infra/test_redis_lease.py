from __future__ import annotations

import fakeredis
import pytest
import redis

from pipeline.infra.redis_lease import Lease
from tests.pipeline.delivery.lane_setup import unreachable_redis
from tests.waiting import wait_until

KEY = "cratewire:lease:test"


@pytest.fixture(params=[False, True], ids=["bytes", "text"])
def server(request: pytest.FixtureRequest) -> redis.Redis:
    return fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=request.param)


def lease(server: redis.Redis, token: str, ttl_ms: int = 60_000) -> Lease:
    return Lease(server, KEY, token, ttl_ms)


def test_one_holder_at_a_time(server: redis.Redis):
    assert lease(server, "a").acquire()
    assert not lease(server, "b").acquire()


def test_a_repeated_call_of_the_holder_succeeds(server: redis.Redis):
    assert lease(server, "a").acquire()
    assert lease(server, "a").acquire()


def test_a_lease_expires(server: redis.Redis):
    lease(server, "a", ttl_ms=60_000).acquire()

    assert 0 < server.pttl(KEY) <= 60_000


def test_renewing_restarts_the_time_to_live(server: redis.Redis):
    lease(server, "a", ttl_ms=1_000).acquire()

    assert lease(server, "a", ttl_ms=60_000).renew()
    assert server.pttl(KEY) > 1_000


def test_another_holders_lease_is_neither_renewed_nor_released(server: redis.Redis):
    lease(server, "a").acquire()

    assert not lease(server, "b").renew()
    assert not lease(server, "b").release()
    assert lease(server, "a").renew()


def test_after_its_release_another_holder_may_acquire_it(server: redis.Redis):
    lease(server, "a").acquire()

    assert lease(server, "a").release()
    assert lease(server, "b").acquire()


def test_a_flushed_redis_has_lost_the_lease(server: redis.Redis):
    lease(server, "a").acquire()
    server.flushall()

    assert not lease(server, "a").renew()
    assert not lease(server, "a").release()


def test_without_redis_acquiring_and_renewing_raise_but_releasing_does_not():
    unreachable = lease(unreachable_redis(), "a")

    for begin in (unreachable.acquire, unreachable.renew):
        with pytest.raises(redis.ConnectionError):
            begin()
    assert not unreachable.release()


def test_a_held_lease_is_renewed_before_it_expires(redis_client: redis.Redis):
    with lease(redis_client, "a", ttl_ms=2_000).hold() as is_held:
        wait_until(lambda: redis_client.pttl(KEY) < 1_800)

        assert is_held
        assert wait_until(lambda: redis_client.pttl(KEY) > 1_800)


def test_a_lease_is_held_during_the_block_and_released_after_it(server: redis.Redis):
    with lease(server, "a").hold() as is_held:
        during = server.exists(KEY)

    assert (is_held, during, server.exists(KEY)) == (True, 1, 0)


def test_a_block_that_raises_releases_the_lease(server: redis.Redis):
    with pytest.raises(ZeroDivisionError), lease(server, "a").hold():
        raise ZeroDivisionError

    assert not server.exists(KEY)


def test_a_lease_of_another_holder_is_neither_held_nor_released(server: redis.Redis):
    lease(server, "a").acquire()

    with lease(server, "b").hold() as is_held:
        assert not is_held

    assert lease(server, "a").renew()


def test_a_renewal_that_fails_in_any_way_is_followed_by_the_next(redis_client: redis.Redis, monkeypatch):
    short = lease(redis_client, "a", ttl_ms=400)
    assert short.acquire()
    real, failures = short.renew, iter([1])

    def renew() -> bool:
        if next(failures, None):
            raise ValueError("I/O operation on closed file")
        return real()

    monkeypatch.setattr(short, "renew", renew)
    with short.keep():
        redis_client.pexpire(KEY, 60_000)

        wait_until(lambda: redis_client.pttl(KEY) < 1_000)


def test_a_lease_is_not_renewed_for_ever(redis_client: redis.Redis):
    short = lease(redis_client, "a", ttl_ms=400)
    assert short.acquire()

    with short.keep(max_seconds=0):
        wait_until(lambda: not redis_client.exists(KEY))


def test_renewing_a_lost_lease_does_not_take_it_back(redis_client: redis.Redis):
    short = lease(redis_client, "a", ttl_ms=100)
    assert short.acquire()

    with short.keep():
        redis_client.set(KEY, "b", px=60_000)
        wait_until(lambda: redis_client.pttl(KEY) < 59_700)

    assert redis_client.get(KEY) == b"b"


def test_a_real_valkey_runs_the_same_scripts(redis_client: redis.Redis):
    assert lease(redis_client, "a").acquire()
    assert not lease(redis_client, "b").acquire()
    assert lease(redis_client, "a").renew()
    assert lease(redis_client, "a").release()
    assert lease(redis_client, "b").acquire()
