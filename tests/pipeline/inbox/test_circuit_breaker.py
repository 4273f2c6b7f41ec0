from __future__ import annotations

from redis.exceptions import ConnectionError as RedisConnectionError

from pipeline.inbox.circuit_breaker import CHECK_INTERVAL_S, MAX_BYTES_BETWEEN_CHECKS, MIN_BACKOFF_S, CircuitBreaker


class Source:
    """A Redis that may be away or full, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.room = True
        self.away = False
        self.looks = 0
        self.tap = CircuitBreaker(self.has_room, lambda: self.now)

    def has_room(self) -> bool:
        self.looks += 1
        if self.away:
            raise RedisConnectionError
        return self.room


def test_a_tap_is_open_until_something_fails():
    assert Source().tap.open


def test_a_failure_shuts_it_and_nobody_looks_at_once():
    source = Source()
    source.tap.trip("TimeoutError")
    for _ in range(50):
        source.tap.look()

    assert (source.tap.open, source.looks) == (False, 0)


def test_a_short_failure_is_soon_over():
    source = Source()
    source.tap.trip("TimeoutError")
    source.now += source.tap.patience()
    source.tap.look()

    assert source.tap.open
    assert source.now == MIN_BACKOFF_S


def test_a_redis_that_stays_away_is_looked_at_ever_less_but_once_a_second():
    source = Source()
    source.away = True
    waits = []
    source.tap.trip("TimeoutError")
    for _ in range(6):
        waits.append(source.tap.patience())
        source.now += waits[-1]
        source.tap.look()

    assert waits == sorted(waits)
    assert (waits[0], waits[-1], source.looks) == (MIN_BACKOFF_S, CHECK_INTERVAL_S, 6)


def test_a_redis_that_answers_looks_but_takes_no_hooks_is_tried_ever_less():
    source = Source()
    for _ in range(5):
        source.tap.trip("TimeoutError")
        source.now += source.tap.patience()
        source.tap.look()
    source.tap.trip("TimeoutError")

    assert source.tap.patience() == CHECK_INTERVAL_S


def test_once_it_has_taken_hooks_a_failure_is_short_again():
    source = Source()
    for _ in range(5):
        source.tap.trip("TimeoutError")
    source.now += CHECK_INTERVAL_S
    source.tap.look()
    source.tap.record_success(1)
    source.tap.trip("TimeoutError")

    assert source.tap.patience() == MIN_BACKOFF_S


def test_it_opens_when_redis_is_back():
    source = Source()
    source.tap.trip("TimeoutError")
    source.now += CHECK_INTERVAL_S
    source.tap.look()

    assert source.tap.open


def test_it_stays_shut_while_redis_is_away():
    source = Source()
    source.away = True
    source.tap.look()
    source.now += CHECK_INTERVAL_S
    source.tap.look()

    assert (source.tap.open, source.looks) == (False, 2)


def test_a_nearly_full_redis_shuts_it():
    source = Source()
    source.room = False
    source.tap.look()

    assert not source.tap.open


def test_much_poured_in_makes_it_look_early():
    source = Source()
    source.tap.look()
    source.room = False
    source.tap.record_success(MAX_BYTES_BETWEEN_CHECKS)
    source.tap.look()

    assert not source.tap.open
