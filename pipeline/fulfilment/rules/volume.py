"""The volume guard: stops a mass re-load, and lets a whole month's batch pass in a day.

A shop of `standard` boxes sends a month within hours, so that a plain limit by the days before would stop it. Boxes of
a batch are therefore counted against the size that the batch is known to have, and only others against the days before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DAYS_OF_HISTORY = 30
TIMES_THE_MAXIMUM = 3
ALWAYS_ALLOWED = 100  # boxes of a day outside batches: a small shop's good day is no mass re-load
LATECOMERS_PERCENT = 10  # how much a batch may grow after its size was known
FEW_LATECOMERS = 20


@dataclass(frozen=True, slots=True)
class BatchVolume:
    """One batch. `expected`: its boxes at its freeze, in the accepted dry run, or those that were known for some time
    before this run. A second load comes later, and so is not among them.

    `sent`: its boxes that were ever sent; `waiting`: those that would go now.
    """

    expected: int
    sent: int
    waiting: int

    @property
    def limit(self) -> int:
        return self.expected + max(self.expected * LATECOMERS_PERCENT // 100, FEW_LATECOMERS)


@dataclass(frozen=True, slots=True)
class VolumeVerdict:
    """`reason`: empty, or why nothing goes until a person has looked. `batch_id`: the batch that is too large."""

    reason: str = ""
    batch_id: int | None = None
    count: int = 0
    limit: int = 0

    @property
    def is_stopped(self) -> bool:
        return bool(self.reason)


def judge_volume(
    history: Sequence[int], sent_today: int, waiting: int, batches: Mapping[int, BatchVolume]
) -> VolumeVerdict:
    """Return whether the boxes that wait may go.

    `history`: boxes sent outside batches on each of the last 30 days. `sent_today`, `waiting`: the same today, and
    those that would go now.
    """
    for batch_id, batch in sorted(batches.items()):
        count = batch.sent + batch.waiting
        if batch.waiting and count > batch.limit:
            return VolumeVerdict("unusual_batch", batch_id, count, batch.limit)
    limit = max(TIMES_THE_MAXIMUM * max(history[-DAYS_OF_HISTORY:], default=0), ALWAYS_ALLOWED)
    count = sent_today + waiting
    return VolumeVerdict("unusual_volume", None, count, limit) if waiting and count > limit else VolumeVerdict()
