from __future__ import annotations

import pytest

from pipeline.core.fulfilment import MAX_RATE_WAIT_S, RateLimited, get_wait_s


@pytest.mark.parametrize(
    ("in_a_row", "wait"), [(0, 30), (1, 60), (2, 120), (5, MAX_RATE_WAIT_S), (10_000, MAX_RATE_WAIT_S)]
)
def test_a_wait_without_a_stated_time_doubles(in_a_row, wait):
    assert get_wait_s(RateLimited(30, doubles=True), in_a_row) == wait


@pytest.mark.parametrize("after_s", [5, 7_200])
def test_a_stated_time_is_kept(after_s):
    assert get_wait_s(RateLimited(after_s), 4) == after_s
