from __future__ import annotations

import pytest

from pipeline.fulfilment.rules.retries import find_next_attempt

MINUTE_US = 60_000_000
DAY_US = 24 * 60 * MINUTE_US


@pytest.mark.parametrize(("failures", "minutes"), [(1, 1), (2, 5), (3, 15), (4, 60), (5, 60), (300, 60)])
def test_three_quick_attempts_are_followed_by_one_an_hour(failures, minutes):
    assert find_next_attempt("deliver", failures, 0, DAY_US) == DAY_US + minutes * MINUTE_US


@pytest.mark.parametrize(("work", "days"), [("deliver", 15), ("look_up", 15), ("confirm", 30), ("cancel", 15)])
def test_it_is_given_up_after_some_days(work, days):
    assert find_next_attempt(work, 9, 0, days * DAY_US - 1) is not None
    assert find_next_attempt(work, 9, 0, days * DAY_US) is None


def test_the_days_count_from_the_first_failure():
    assert find_next_attempt("deliver", 9, 5 * DAY_US, 20 * DAY_US - 1) is not None
    assert find_next_attempt("deliver", 9, 5 * DAY_US, 20 * DAY_US) is None


@pytest.mark.parametrize(("asked", "minutes"), [(30, 1), (90 * 60, 90)])
def test_what_the_other_side_asks_for_is_waited_if_it_is_longer(asked, minutes):
    assert find_next_attempt("deliver", 1, 0, 0, asked) == minutes * MINUTE_US
