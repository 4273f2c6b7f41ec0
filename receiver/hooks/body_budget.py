"""Limits the bytes of request bodies in memory at once, in total and per sender. Not thread-safe."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class BodyBudgetExceeded(Exception):
    """The body would exceed the budget of its sender, or the total."""


class BodyBudget:
    """A budget of `total` bytes, of which one sender may reserve `share`."""

    def __init__(self, total: int, share: int) -> None:
        self._total = total
        self._share = share
        self._reserved = 0
        self._reserved_by_sender: dict[str, int] = {}

    def new_reservation(self, sender: str | None) -> BodyReservation:
        """Return an empty reservation. A sender that cannot be identified (None) has no limit of its own."""
        return BodyReservation(self, sender)

    def reserve(self, sender: str | None, size: int) -> None:
        """Reserve `size` bytes. Raises BodyBudgetExceeded, and reserves nothing, if fewer are left."""
        if self._reserved + size > self._total:
            raise BodyBudgetExceeded
        if sender is not None:
            taken = self._reserved_by_sender.get(sender, 0) + size
            if taken > self._share:
                raise BodyBudgetExceeded
            self._reserved_by_sender[sender] = taken
        self._reserved += size

    def release(self, sender: str | None, size: int) -> None:
        """Return reserved bytes to the budget."""
        self._reserved -= size
        if sender is not None:
            self._reserved_by_sender[sender] -= size
            if not self._reserved_by_sender[sender]:
                del self._reserved_by_sender[sender]  # so that only senders with an open request are listed


class BodyReservation:
    """The bytes reserved for one body; a context manager that releases them at its end."""

    __slots__ = ("_budget", "_sender", "_size")

    def __init__(self, budget: BodyBudget, sender: str | None) -> None:
        self._budget = budget
        self._sender = sender
        self._size = 0

    def grow(self, size: int) -> None:
        """Reserve `size` more bytes. Raises BodyBudgetExceeded."""
        self._budget.reserve(self._sender, size)
        self._size += size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._size:
            self._budget.release(self._sender, self._size)
