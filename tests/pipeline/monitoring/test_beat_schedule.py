"""Which sweeps are not sent, read from RedBeat's schedule."""

from __future__ import annotations

import json

import fakeredis
import pytest

from pipeline.monitoring.beat_schedule import KEY_PREFIX, SCHEDULE_KEY, find_unsent_sweeps

NOW_S = 1_800_000_000.0


@pytest.fixture
def redis():
    return fakeredis.FakeRedis()


def schedule(redis, name, every, due_s):
    redis.zadd(SCHEDULE_KEY, {f"{KEY_PREFIX}{name}": due_s})
    redis.hset(f"{KEY_PREFIX}{name}", "definition", json.dumps({"schedule": {"__type__": "interval", "every": every}}))


@pytest.mark.parametrize(
    ("every", "due_in_s", "is_missed"),
    [
        (10.0, 10.0, False),
        (10.0, -20.0, False),
        (10.0, -21.0, True),
        (10.0, 31.0, True),
        (1.0, 3_600.0, True),
        (3_600.0, 3_600.0, False),
        (1.0, -13.0, False),  # beat may be started anew
        (1.0, -15.0, True),
    ],
)
def test_a_sweep_is_missed_after_three_intervals_and_when_it_lies_too_far_ahead(redis, every, due_in_s, is_missed):
    schedule(redis, "mails.sweep", every, NOW_S + due_in_s)

    assert [one.name for one in find_unsent_sweeps(redis, NOW_S)] == ["mails.sweep"] * is_missed


def test_what_celery_does_by_the_calendar_is_no_sweep(redis):
    redis.zadd(SCHEDULE_KEY, {f"{KEY_PREFIX}celery.backend_cleanup": NOW_S + 40_000})
    definition = {"schedule": {"__type__": "crontab", "minute": "0", "hour": "4"}}
    redis.hset(f"{KEY_PREFIX}celery.backend_cleanup", "definition", json.dumps(definition))

    assert find_unsent_sweeps(redis, NOW_S) == []


def test_a_beat_that_has_never_begun_misses_nothing(redis):
    assert find_unsent_sweeps(redis, NOW_S) == []
