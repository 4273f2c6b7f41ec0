"""How much the next slice of a long piece of work takes, so that no slice holds others up.

The work is done under a lock that others wait for. The time that the last slice took decides how large the next one is.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_LOCK_S = 0.05  # no slice may hold the write lock for longer
_TARGET_S = 0.02  # aimed at: a commit may wait for a slow disk
_MAX_GROWTH = 2.0  # from one slice to the next: a larger one may meet larger rows


@dataclass(slots=True)
class SliceSize:
    """The size of the next slice, in rows or pages."""

    size: int = 20
    largest: int = 5_000

    def adjust(self, done: int, took_s: float) -> None:
        """Note that a slice of so many took so long under the lock. One that was not full does not make it larger."""
        if not done:
            return
        wanted = done * _TARGET_S / max(took_s, 1e-6)
        most = self.size * _MAX_GROWTH if done >= self.size else self.size
        self.size = max(1, min(self.largest, round(min(wanted, most))))
