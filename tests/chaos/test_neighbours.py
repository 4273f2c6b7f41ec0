"""A sound connection that is slower beside dead ones is seen; so is one to which nothing came."""

from __future__ import annotations

import math

import pytest

from bench.chaos.faults.platform import is_delayed, p95


@pytest.mark.parametrize("later", [0.07, 0.14, 0.4])
def test_what_a_busy_machine_does_is_no_delay(later: float):
    assert not is_delayed(0.13, later)


@pytest.mark.parametrize("later", [0.5, 1.2, math.inf])
def test_more_than_twice_as_slow_is_one(later: float):
    assert is_delayed(0.13, later)


def test_nothing_that_arrived_is_no_proof():
    assert is_delayed(0.13, p95([]))
    assert is_delayed(p95([]), 0.1)


def test_one_in_twenty_may_be_late():
    assert p95([0.1] * 19 + [9.0]) == 0.1
