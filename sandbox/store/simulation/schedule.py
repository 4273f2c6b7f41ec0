"""What is to happen when, in simulated time."""

import heapq
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count


@dataclass(order=True, frozen=True)
class ScheduledAction:
    """An act with its subject's id (0 if it has none). Entries of the same time keep the order of their creation."""

    at: int
    number: int
    act: str = field(compare=False)
    subject: int = field(compare=False)


class Schedule:
    """A heap of entries; it survives a simulation, so that the next continues from there."""

    def __init__(self) -> None:
        self._heap: list[ScheduledAction] = []
        self._number = count()

    def add(self, at: int, act: str, subject: int = 0) -> None:
        heapq.heappush(self._heap, ScheduledAction(at, next(self._number), act, subject))

    def pop(self) -> ScheduledAction | None:
        return heapq.heappop(self._heap) if self._heap else None

    def forget(self, acts: Collection[str]) -> None:
        self._heap = [entry for entry in self._heap if entry.act not in acts]
        heapq.heapify(self._heap)
