"""The delay before a process is restarted."""

from __future__ import annotations

import pytest

from receiver.supervisor.supervisor import count_exits_in_a_row, get_restart_delay


@pytest.mark.parametrize(("ends", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (60, 30)])
def test_the_wait_doubles_up_to_half_a_minute(ends, seconds):
    assert get_restart_delay(ends) == seconds


@pytest.mark.parametrize(("before", "lived", "after"), [(0, 0.1, 1), (4, 59.9, 5), (4, 60.0, 1)])
def test_a_minute_of_life_starts_the_count_again(before, lived, after):
    assert count_exits_in_a_row(before, lived) == after
