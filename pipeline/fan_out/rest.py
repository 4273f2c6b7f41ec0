"""What is kept of facts of a person that are not loaded, so that a hook costs the same however many there are.

The facts that are not loaded, the rest, are known by their counts and sums, and by the best place that any of them has
in each ranking: the first or the last order, the box shipped last, the newest active subscription. The attributes need
the winner of each ranking, and that one is always among the facts that are loaded: see `pipeline.fan_out.rollup`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

CountName = tuple[str | None, ...]  # such as ("order", "bought"), or ("own", "order", its source)

OWN_SOURCE, ANY_SOURCE = "own", "any"  # (…, kind, source): what a person is known from; with gifts for the second


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a fact in a ranking: the larger its value the better; of the same value the smaller subject."""

    value: tuple[int | str, ...]
    subject: str

    def outranks(self, other: Place) -> bool:
        """Whether this place is the better of the two."""
        return self.value > other.value or (self.value == other.value and self.subject < other.subject)


@dataclass(frozen=True, slots=True)
class Rest:
    """The facts of a person that are not loaded."""

    counts: Mapping[CountName, int] = field(default_factory=dict)
    floors: Mapping[str, Place] = field(default_factory=dict)  # ranking -> no fact of the rest has a better place
    newest: int = 0  # µs of the newest of all facts

    def count(self, *name: str) -> int:
        """How many there are, or their sum."""
        return self.counts.get(name, 0)

    def list_counts(self, *start: str) -> Iterator[tuple[CountName, int]]:
        """The counts whose names begin so, by the ends of these names: by status of the subscriptions, for one."""
        size = len(start)
        return ((name[size:], number) for name, number in self.counts.items() if number and name[:size] == start)


NO_REST = Rest()
