"""The drawings of the pages, as numbers that templates put into SVG. What they show stands beside them in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BAR_WIDTH, BAR_GAP = 3, 1


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: the left edge, the top, and the height."""

    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Bars as high as their numbers, in a box of this size."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    lowest: int
    highest: int


def build_sparkline(numbers: Sequence[int], height: int = 28) -> Sparkline:
    """Bars for these numbers. One that is not zero can be seen, however high the others are."""
    highest = max(numbers, default=0)
    bars = []
    for place, number in enumerate(numbers):
        tall = max(1.5, round(number / highest * height, 1)) if number else 0.0
        bars.append(Bar(place * (BAR_WIDTH + BAR_GAP), round(height - tall, 1), tall))
    width = max(len(numbers) * (BAR_WIDTH + BAR_GAP) - BAR_GAP, 1)
    return Sparkline(tuple(bars), width, height, min(numbers, default=0), highest)
