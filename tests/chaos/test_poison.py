"""A poisonous hook that was set aside for another reason, or read too often, breaks its row."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.chaos.faults.poison import QuarantinedHook, check_dead_hooks, check_starts

SENT = [b"one", b"two", b"one"]
CONDEMNED = [QuarantinedHook(raw, "poison", 3) for raw in SENT]


def test_nothing_is_said_if_each_was_condemned():
    assert check_dead_hooks(SENT, CONDEMNED) == []


@pytest.mark.parametrize(
    "last",
    [
        QuarantinedHook(b"one", "internal_error", None),
        QuarantinedHook(b"one", "poison", 2),
        QuarantinedHook(b"one", "poison", None),
        QuarantinedHook(b"on", "poison", 3),
    ],
)
def test_one_that_was_set_aside_otherwise_is_reported(last: QuarantinedHook):
    assert check_dead_hooks(SENT, [*CONDEMNED[:2], last])


def test_a_repeat_that_is_nowhere_is_reported():
    assert check_dead_hooks(SENT, CONDEMNED[:2])


@pytest.mark.parametrize("more", [QuarantinedHook(b"sound", "poison", 3), QuarantinedHook(b"one", "poison", 3)])
def test_one_too_many_is_reported(more: QuarantinedHook):
    assert check_dead_hooks(SENT, [*CONDEMNED, more])


@pytest.mark.parametrize("times", [1, 3])
def test_a_body_may_be_begun_three_times(times: int):
    assert check_starts(SENT, Counter({b"one": times, b"two": 1})) == []


@pytest.mark.parametrize("times", [0, 4])
def test_a_body_that_was_never_begun_or_too_often_is_reported(times: int):
    assert check_starts(SENT, Counter({b"one": times, b"two": 1}))
