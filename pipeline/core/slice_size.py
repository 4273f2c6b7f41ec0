"""How much the next slice of a long piece of work takes, so that no slice holds others up.

The work is done under a lock that others wait for. The time that the last slice took decides how large the next one is.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_LOCK_S = 0.05  # no slice should hold the write lock for longer
_TARGET_S = 0.015  # of work; the commit comes on top, and waits for the disk
_LEAST_S = 0.005  # of work: a smaller slice would not be quicker, since the commit takes most of its time
_MAX_GROWTH = 2.0  # from one slice to the next: a larger one may meet larger rows


@dataclass(slots=True)
class SliceSize:
    """The size of the next slice, in rows or pages."""

    size: int = 20
    smallest: int = 1
    largest: int = 5_000

    def adjust(self, done: int, work_s: float, commit_s: float = 0.0) -> None:
        """Note that a slice of so many took so long under the lock. One that was not full does not make it larger."""
        if not done:
            return
        wanted = done * _TARGET_S / max(work_s, 1e-6)
        if work_s + commit_s > MAX_LOCK_S and work_s > _LEAST_S:
            wanted = min(wanted, done / 2)
        most = self.size * _MAX_GROWTH if done >= self.size else self.size
        self.size = max(self.smallest, min(self.largest, round(min(wanted, most))))
