"""How long a silence is nothing unusual: learned from the past, and no alarm for a quiet night or a quiet month."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ledger.monitoring.rows import HOUR_US
from pipeline.monitoring.thresholds import (
    MAX_HISTORY_US,
    MAX_SILENCE_US,
    MIN_SILENCE_US,
    hours_between,
    learn_threshold,
    merge_events,
)
from tests.pipeline.monitoring.hook_histories import (
    DAY,
    WEEK,
    active_hours_at,
    at_random,
    every_day,
    every_week,
    hour_us,
)

OFFICE = range(9, 18)
MONTH = 30 * DAY
BATCH = [month * MONTH + hour + 0.5 for month in range(4) for hour in range(30)]


def tolerated(hours, last=None):
    """For how many hours silence is tolerated after the last hook."""
    learned = learn_threshold(active_hours_at(hours))
    assert learned is not None
    since = hour_us(hours[-1] if last is None else last)
    return (learned.get_due_at(since) - since) / HOUR_US


def test_a_store_that_is_busy_day_and_night_is_missed_within_hours():
    assert tolerated([hour + 0.5 for hour in range(60 * DAY)]) < 3


def test_a_quiet_night_is_no_alarm():
    evening, morning = 17.5, DAY + 9.5

    assert tolerated(every_day(OFFICE, 60), last=59 * DAY + evening) > morning - evening


def test_after_a_quiet_night_a_morning_without_hooks_is_one():
    assert tolerated(every_day(OFFICE, 60), last=59 * DAY + 17.5) < 24


def test_at_noon_a_silence_is_shorter_than_at_night():
    hours = every_day(OFFICE, 60)

    assert tolerated(hours, last=59 * DAY + 11.5) < tolerated(hours, last=59 * DAY + 17.5)


def test_a_quiet_weekend_is_no_alarm_and_a_quiet_tuesday_is_one():
    weekdays = every_week([day * DAY + hour for day in range(5) for hour in OFFICE], 10)
    friday, monday = 9 * WEEK + 4 * DAY + 17.5, 9 * WEEK + DAY + 17.5

    assert tolerated(weekdays, last=friday) > 2.5 * DAY
    assert tolerated(weekdays, last=monday) < 1.5 * DAY


@given(st.sets(st.integers(0, DAY - 1), min_size=1), st.integers(30, 50))
@settings(max_examples=60, deadline=None)
def test_no_day_that_goes_as_all_days_do_is_an_alarm(hours, days):
    past = every_day(hours, days)

    assert tolerated(past) > past[0] + days * DAY - past[-1]


@given(st.sets(st.integers(0, WEEK - 1), min_size=5, max_size=60), st.data())
@settings(max_examples=60, deadline=None)
def test_nothing_that_comes_every_week_at_its_hour_is_missed_before_its_time(hours, data):
    past = every_week(hours, 8)
    number = data.draw(st.integers(0, len(hours) - 1))
    following = every_week(hours, 10)[len(past) + number]
    last = every_week(hours, 10)[len(past) + number - 1]

    assert tolerated(past, last=last) > following - last


@given(st.sets(st.integers(0, WEEK - 1), min_size=5, max_size=60))
@settings(max_examples=30, deadline=None)
def test_hooks_that_stop_for_good_are_always_missed_in_the_end(hours):
    assert MIN_SILENCE_US <= tolerated(every_week(hours, 8)) * HOUR_US <= MAX_SILENCE_US


def test_an_event_that_comes_in_one_batch_a_month_is_not_missed_for_a_month():
    assert tolerated(BATCH) > MONTH


@pytest.mark.parametrize("months", [1, 2])
def test_who_has_seen_one_or_two_such_batches_knows_too_little(months):
    assert learn_threshold(active_hours_at([hour for hour in BATCH if hour < months * MONTH])) is None


def test_a_fortnight_is_needed_and_twenty_silences():
    assert learn_threshold(active_hours_at(every_day(OFFICE, 13))) is None
    assert learn_threshold(active_hours_at(every_day([9], 20))) is None
    assert learn_threshold(active_hours_at(every_day([9], 30))) is not None


def test_an_outage_that_no_one_noticed_teaches_nothing():
    past = every_day(OFFICE, 80)
    broken = [hour for hour in past if not 30 * DAY < hour < 45 * DAY]

    assert tolerated(broken) == pytest.approx(tolerated(past), rel=0.4)


def test_outages_that_were_noticed_teach_nothing_however_many():
    past = every_day(OFFICE, 80)
    outages = [(20 * DAY, 24 * DAY), (40 * DAY, 43 * DAY), (60 * DAY, 66 * DAY)]
    broken = active_hours_at(hour for hour in past if not any(since < hour < until for since, until in outages))
    deaf = {hour for since, until in outages for hour in hours_between(hour_us(since), hour_us(until))}

    learned = learn_threshold(broken, deaf)

    assert learned is not None
    assert learned.get_due_at(hour_us(past[-1])) == pytest.approx(hour_us(past[-1] + tolerated(past)), abs=6 * HOUR_US)


def test_a_silence_that_is_known_is_not_held_against_an_event():
    past = every_day(OFFICE, 60)
    last, back = past[-1], past[-1] + 10 * DAY
    learned = learn_threshold(active_hours_at(past), set(hours_between(hour_us(last), hour_us(back))))

    assert learned is not None
    assert learned.get_due_at(hour_us(last)) > hour_us(back)


def test_summer_time_is_no_alarm():
    past = every_day(OFFICE, 60)
    an_hour_later = 60 * DAY + 10.5

    assert tolerated(past) > an_hour_later - past[-1]


@pytest.mark.parametrize(("a_day", "within"), [(4, 6 * DAY), (40, 1.5 * DAY), (400, 1.5 * DAY)])
def test_stores_by_chance_are_left_in_peace_and_missed_when_they_stop(a_day, within):
    """Half a year each, looked at every third week as it goes on; a false alarm would be a hook later than its time."""
    hours, late = at_random(a_day, 180, seed=4), 0
    for week in range(6, 25, 3):
        now = week * WEEK
        learned = learn_threshold(
            active_hours_at(hour for hour in hours if now - MAX_HISTORY_US // HOUR_US < hour < now)
        )
        assert learned is not None
        coming = [hour for hour in hours if now - 2 * DAY < hour < now + WEEK]
        late += sum(hour_us(after) > learned.get_due_at(hour_us(before)) for before, after in pairwise(coming))
        assert tolerated([hour for hour in hours if hour < now]) < within

    assert late == 0


def test_any_event_is_all_events_together():
    orders, boxes = active_hours_at([1.2, 1.8, 5.5]), active_hours_at([1.1, 3.5])

    assert merge_events([orders, boxes]) == active_hours_at([1.1, 1.2, 1.8, 3.5, 5.5])
    assert merge_events([]) == []
