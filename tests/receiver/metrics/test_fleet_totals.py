"""A web process never reports falling totals of the fleet."""

from __future__ import annotations

import pytest
from redis import ConnectionError as RedisAway

from pipeline.infra import redis_keys
from pipeline.infra.metrics import HOOKS
from receiver.metrics.fleet_totals import FleetTotals

SPOOLED = '["cratewire_hooks_total",{"way":"spool"}]'


class Leaving:
    """A Redis that can be made unavailable."""

    def __init__(self, redis):
        self._redis = redis
        self.gone = False

    def __getattr__(self, name):
        if self.gone:
            raise RedisAway
        return getattr(self._redis, name)


@pytest.fixture
def redis(redis_client):
    redis_client.hset(redis_keys.METRICS, SPOOLED, "100")
    return Leaving(redis_client)


def test_before_they_are_seen_the_totals_are_unknown(redis):
    assert FleetTotals(redis).get_current() is None


def test_what_was_counted_here_is_in_them_at_once(redis):
    counts = FleetTotals(redis)
    counts.refresh()
    HOOKS.labels("spool").inc(3)

    assert counts.get_current()[SPOOLED] == 103


def test_sharing_changes_nothing_of_what_is_shown(redis):
    counts = FleetTotals(redis)
    counts.refresh()
    HOOKS.labels("spool").inc(3)

    counts.publish()

    assert counts.get_current()[SPOOLED] == 103
    counts.refresh()
    assert counts.get_current()[SPOOLED] == 103


def test_while_redis_is_away_they_stay_and_grow(redis):
    counts = FleetTotals(redis)
    counts.refresh()
    HOOKS.labels("spool").inc(3)
    counts.publish()
    redis.gone = True
    HOOKS.labels("spool").inc(2)

    with pytest.raises(RedisAway):
        counts.refresh()

    assert counts.get_current()[SPOOLED] == 105
