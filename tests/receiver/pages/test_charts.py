"""The drawings of the pages."""

from __future__ import annotations

from receiver.pages.charts import build_sparkline


def test_the_highest_number_fills_the_box():
    drawn = build_sparkline([0, 5, 10], height=20)

    assert [(bar.y, bar.height) for bar in drawn.bars] == [(20, 0), (10, 10), (0, 20)]
    assert (drawn.lowest, drawn.highest, drawn.width) == (0, 10, 11)


def test_what_is_not_zero_can_be_seen():
    low, _ = build_sparkline([1, 100_000]).bars

    assert low.height > 1


def test_without_any_events_nothing_is_drawn():
    assert {bar.height for bar in build_sparkline([0] * 48).bars} == {0}
