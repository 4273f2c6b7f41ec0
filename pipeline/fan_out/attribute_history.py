"""What each attribute of a person was, since when, and which event said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """A change of a person's attributes: when (µs), by which event's hook, and the values before, None for none."""

    at: int
    event_id: int | None
    before: dict[str, Any] = field(repr=False)

    @property
    def is_first(self) -> bool:
        """Whether the person had no attributes before."""
        return not self.before


@dataclass(frozen=True, slots=True)
class AttributeValue:
    """A value, None for no value, and the change that brought it.

    `since` (µs) is None where that is longer ago than changes are kept. `event_id` is None where no hook brought it.
    """

    value: Any = field(repr=False)
    since: int | None
    event_id: int | None


@dataclass(frozen=True, slots=True)
class AttributeHistory:
    """An attribute: what it is now, and what it was, the newest first."""

    name: str
    now: AttributeValue
    earlier: tuple[AttributeValue, ...]

    @property
    def is_cleared(self) -> bool:
        return self.now.value is None


def build_histories(attributes: Mapping[str, Any], changes: Sequence[AttributeChange]) -> list[AttributeHistory]:
    """The attributes by name, those that have no value any more last. `changes`: the oldest first, as they are kept."""
    names = {*attributes, *(name for change in changes for name in change.before)}
    histories = [_build_history(name, attributes.get(name), changes) for name in sorted(names)]
    return sorted(histories, key=lambda history: history.is_cleared)


def _build_history(name: str, value: Any, changes: Sequence[AttributeChange]) -> AttributeHistory:
    values: list[AttributeValue] = []
    for change in reversed(changes):
        if name in change.before:
            values.append(AttributeValue(value, change.at, change.event_id))
            value = change.before[name]
    if value is not None:
        known = changes[0] if changes and changes[0].is_first else None
        values.append(AttributeValue(value, known.at if known else None, known.event_id if known else None))
    return AttributeHistory(name, values[0], tuple(values[1:]))
