from __future__ import annotations

from redis.exceptions import ConnectionError as RedisConnectionError

from pipeline.inbox.tap import LOOK_BYTES, LOOK_SECONDS, Tap


class Source:
    """A Redis that may be away or full, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.room = True
        self.away = False
        self.looks = 0
        self.tap = Tap(self.has_room, lambda: self.now)

    def has_room(self) -> bool:
        self.looks += 1
        if self.away:
            raise RedisConnectionError
        return self.room


def test_a_tap_is_open_until_something_fails():
    assert Source().tap.open


def test_a_failure_shuts_it_and_nobody_looks_for_a_second():
    source = Source()
    source.tap.shut("TimeoutError")
    for _ in range(50):
        source.tap.look()

    assert (source.tap.open, source.looks) == (False, 0)


def test_it_opens_when_redis_is_back():
    source = Source()
    source.tap.shut("TimeoutError")
    source.now += LOOK_SECONDS
    source.tap.look()

    assert source.tap.open


def test_it_stays_shut_while_redis_is_away():
    source = Source()
    source.away = True
    source.tap.look()
    source.now += LOOK_SECONDS
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
    source.tap.poured(LOOK_BYTES)
    source.tap.look()

    assert not source.tap.open
