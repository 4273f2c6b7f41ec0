"""Finds the largest id a collection has by asking whether there are larger ones: a few questions, however many it has.

Customers have no date. Those with a larger id than all there were when the store was connected came later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IdSearch:
    """Where it stands. The stride doubles while the answer is yes; after the first no it shrinks."""

    low: int = 0  # the largest id seen
    stride: int = 1
    is_shrinking: bool = False

    @property
    def asked(self) -> int:
        """The next question: is there an id above this one?"""
        return self.low + self.stride - 1

    def is_finished_by(self, found: Sequence[int]) -> bool:
        """Whether this answer, some of the ids above, says that there is none above the largest seen."""
        return not found and self.stride == 1

    def after(self, found: Sequence[int]) -> IdSearch:
        """The search after an answer."""
        shrinking = self.is_shrinking or not found
        stride = max(1, self.stride // 2) if shrinking else self.stride * 2
        return IdSearch(max([self.low, *found]), stride, shrinking)
