"""How long to wait before a retry, whether the server asks for it or not."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.backoff import full_jitter, parse_retry_after

NOON = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the example of the HTTP specification


@settings(deadline=None)
@given(st.integers(-5, 10**9), st.randoms(use_true_random=False))
def test_a_backoff_stays_within_its_bounds(attempt, rng):
    assert 0 <= full_jitter(attempt, rng) <= 60


@pytest.mark.parametrize(("attempt", "bound"), [(0, 2), (1, 4), (2, 8), (4, 32), (5, 60), (1000, 60)])
def test_the_bound_doubles_up_to_a_minute(attempt, bound):
    longest = max(full_jitter(attempt, Random(seed)) for seed in range(200))

    assert bound * 0.9 < longest <= bound


class Recorded:
    """A source of chance that returns its bounds."""

    def uniform(self, low, high):
        return low, high


@pytest.mark.parametrize(
    ("attempt", "bound"), [(-1, 2.0), (0, 2.0), (1, 4.0), (4, 32.0), (5, 60.0), (20, 60.0), (10**9, 60.0)]
)
def test_a_back_off_is_drawn_between_zero_and_its_bound(attempt, bound):
    assert full_jitter(attempt, Recorded()) == (0, bound)


@pytest.mark.usefixtures("tokyo")
@pytest.mark.parametrize("date", ["Sun Nov  6 08:49:47 1994", "Sun, 06 Nov 1994 08:49:47 -0000"])
def test_a_date_without_a_zone_is_in_utc_whatever_the_local_time_is(date):
    assert parse_retry_after(date, NOON) == 10.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("2.", 2.0),
        ("86401", 86_400.0),
        ("9" * 64, 86_400.0),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10.0),
        ("Sunday, 06-Nov-94 08:49:47 GMT", 10.0),
        ("Sun Nov  6 08:49:47 1994", 10.0),
        ("Sun, 06 Nov 1994 09:49:47 +0100", 10.0),
        ("Wed, 06 Nov 2030 08:49:37 GMT", 86_400.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
    ],
)
def test_seconds_and_dates_are_understood(value, seconds):
    assert parse_retry_after(value, NOON) == seconds


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "-1",
        "+1",
        "soon",
        "nan",
        "inf",
        "1e3",
        "1_0",
        "٣",
        "0x10",
        "1 2",
        "Sun, 06 Nov 1994 08:49:36 GMT",
        "Sun, 99 Nov 1994 08:49:36 GMT",
        "9" * 65,
    ],
)
def test_any_other_header_is_ignored(value):
    assert parse_retry_after(value, NOON) is None


@settings(deadline=None)
@given(st.text(max_size=70) | st.text("0123456789 :-+,.GMTSunNov()", max_size=70), st.floats(0, 1e11))
def test_any_header_is_a_bounded_number_or_nothing(value, now):
    seconds = parse_retry_after(value, now)

    assert seconds is None or 0 <= seconds <= 86_400
