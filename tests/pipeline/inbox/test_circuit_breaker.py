from __future__ import annotations

from redis.exceptions import ConnectionError as RedisConnectionError

from pipeline.inbox.circuit_breaker import CHECK_INTERVAL_S, MAX_BYTES_BETWEEN_CHECKS, MIN_BACKOFF_S, CircuitBreaker


class FakeServer:
    """A Redis that may be away or full, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.room = True
        self.away = False
        self.checks = 0
        self.breaker = CircuitBreaker(self.has_room, lambda: self.now)

    def has_room(self) -> bool:
        self.checks += 1
        if self.away:
            raise RedisConnectionError
        return self.room


def test_a_breaker_is_closed_until_redis_fails():
    assert FakeServer().breaker.is_closed


def test_a_failure_trips_it_and_redis_is_not_checked_at_once():
    server = FakeServer()
    server.breaker.trip("TimeoutError")
    for _ in range(50):
        server.breaker.check()

    assert (server.breaker.is_closed, server.checks) == (False, 0)


def test_a_short_failure_is_soon_over():
    server = FakeServer()
    server.breaker.trip("TimeoutError")
    server.now += server.breaker.get_seconds_until_check()
    server.breaker.check()

    assert server.breaker.is_closed
    assert server.now == MIN_BACKOFF_S


def test_a_redis_that_stays_away_is_checked_ever_less_but_once_a_second():
    server = FakeServer()
    server.away = True
    waits = []
    server.breaker.trip("TimeoutError")
    for _ in range(6):
        waits.append(server.breaker.get_seconds_until_check())
        server.now += waits[-1]
        server.breaker.check()

    assert waits == sorted(waits)
    assert (waits[0], waits[-1], server.checks) == (MIN_BACKOFF_S, CHECK_INTERVAL_S, 6)


def test_a_redis_that_passes_checks_but_takes_no_hooks_is_tried_ever_less():
    server = FakeServer()
    for _ in range(5):
        server.breaker.trip("TimeoutError")
        server.now += server.breaker.get_seconds_until_check()
        server.breaker.check()
    server.breaker.trip("TimeoutError")

    assert server.breaker.get_seconds_until_check() == CHECK_INTERVAL_S


def test_after_a_success_the_backoff_is_short_again():
    server = FakeServer()
    for _ in range(5):
        server.breaker.trip("TimeoutError")
    server.now += CHECK_INTERVAL_S
    server.breaker.check()
    server.breaker.record_success(1)
    server.breaker.trip("TimeoutError")

    assert server.breaker.get_seconds_until_check() == MIN_BACKOFF_S


def test_it_closes_when_redis_is_back():
    server = FakeServer()
    server.breaker.trip("TimeoutError")
    server.now += CHECK_INTERVAL_S
    server.breaker.check()

    assert server.breaker.is_closed


def test_it_stays_tripped_while_redis_is_away():
    server = FakeServer()
    server.away = True
    server.breaker.check()
    server.now += CHECK_INTERVAL_S
    server.breaker.check()

    assert (server.breaker.is_closed, server.checks) == (False, 2)


def test_a_nearly_full_redis_trips_it():
    server = FakeServer()
    server.room = False
    server.breaker.check()

    assert not server.breaker.is_closed


def test_many_written_bytes_bring_the_check_forward():
    server = FakeServer()
    server.breaker.check()
    server.room = False
    server.breaker.record_success(MAX_BYTES_BETWEEN_CHECKS)
    server.breaker.check()

    assert not server.breaker.is_closed
