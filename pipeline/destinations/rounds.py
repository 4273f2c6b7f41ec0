"""Splits messages into two rounds of calls: a person's first profile leaves in an earlier call than an event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from pipeline.core.messages import Message


class HasMessage(Protocol):
    """Anything that carries a message."""

    @property
    def message(self) -> Message:
        """The message."""


T = TypeVar("T", bound=HasMessage)


def split_rounds(items: Sequence[T]) -> list[list[T]]:
    """Return the items in one or two rounds, each person's in their order.

    An event of a person whose first profile is among the items waits for the second round, and so does all that comes
    after it about that person: a platform need not apply a call in order.
    """
    first: list[T] = []
    second: list[T] = []
    with_first_profile: set[int] = set()
    waiting: set[int] = set()
    for item in items:
        message, person = item.message, item.message.person.id
        if message.kind == "event" and person in with_first_profile:
            waiting.add(person)
        (second if person in waiting else first).append(item)
        if message.kind == "profile" and not message.has_profile:
            with_first_profile.add(person)
    return [part for part in (first, second) if part]
