"""A hook that waits is seen, whether or not it is answered in the end."""

from __future__ import annotations

import pytest

from bench.chaos.answer_times import get_waits_ms, judge_waits
from bench.chaos.hooks import Hook
from bench.chaos.load import SentHook

SINCE, UNTIL = 10_000_000, 20_000_000


def sent_hook(sent_at: int, answered_at: int = 0, status: int | None = None) -> SentHook:
    return SentHook(Hook(0, 0, b"", "1", ("a",)), sent_at=sent_at, answered_at=answered_at, status=status)


def waits(*hooks: SentHook) -> list[float]:
    return get_waits_ms(hooks, SINCE, UNTIL)


def test_an_answered_hook_waited_until_its_answer():
    assert waits(sent_hook(11_000_000, 11_005_000, 200)) == [5.0]


def test_a_hook_that_is_still_open_waited_until_the_end():
    assert waits(sent_hook(12_000_000)) == [8_000.0]


def test_a_hook_that_is_answered_after_the_end_waited_until_the_end():
    assert waits(sent_hook(12_000_000, 25_000_000, 200)) == [8_000.0]


def test_a_hook_that_was_sent_before_and_waits_through_everything_counts_from_the_beginning():
    assert waits(sent_hook(9_000_000)) == [10_000.0]


@pytest.mark.parametrize("status", [503, 404])
def test_a_refused_hook_counts_too(status: int):
    assert waits(sent_hook(12_000_000, 14_000_000, status)) == [2_000.0]


@pytest.mark.parametrize("hook", [sent_hook(0), sent_hook(9_000_000, 9_500_000, 200), sent_hook(21_000_000)])
def test_what_was_not_under_way_is_left_out(hook: SentHook):
    assert waits(hook) == []


def test_an_empty_sample_proves_nothing():
    assert judge_waits([], 300) is not None


def test_as_many_late_ones_as_may_be_are_nothing_against_it():
    assert judge_waits([301.0, *[1.0] * 99], 300, share=0.01) is None


def test_one_more_late_one_than_may_be_is_reported():
    assert judge_waits([301.0, 301.0, *[1.0] * 98], 300, share=0.01) is not None
