"""How many bytes of request bodies may be under way at once: in all, and for one sender. For one thread."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class BodyBudgetExceeded(Exception):
    """The body would take more than its sender, or all senders together, may."""


class BodyBudget:
    """`total` bytes in all, of which one sender may take `share`."""

    def __init__(self, total: int, share: int) -> None:
        self._total = total
        self._share = share
        self._taken = 0
        self._reserved_by_sender: dict[str, int] = {}

    def body(self, sender: str | None) -> BodyReservation:
        """A body, which takes nothing yet. None: a sender that cannot be told from others has no share of its own."""
        return BodyReservation(self, sender)

    def take(self, sender: str | None, size: int) -> None:
        """Take so many bytes. Raise NoRoom if there are not so many left; then nothing is taken."""
        if self._taken + size > self._total:
            raise BodyBudgetExceeded
        if sender is not None:
            taken = self._reserved_by_sender.get(sender, 0) + size
            if taken > self._share:
                raise BodyBudgetExceeded
            self._reserved_by_sender[sender] = taken
        self._taken += size

    def release(self, sender: str | None, size: int) -> None:
        """Give back what was taken."""
        self._taken -= size
        if sender is not None:
            self._reserved_by_sender[sender] -= size
            if not self._reserved_by_sender[sender]:
                del self._reserved_by_sender[sender]  # so that it holds only who has a body under way


class BodyReservation:
    """What one body takes; given back at the end of the block."""

    __slots__ = ("_room", "_sender", "_size")

    def __init__(self, room: BodyBudget, sender: str | None) -> None:
        self._room = room
        self._sender = sender
        self._size = 0

    def grow(self, size: int) -> None:
        """Take so many bytes more. Raises NoRoom."""
        self._room.take(self._sender, size)
        self._size += size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._size:
            self._room.release(self._sender, self._size)
