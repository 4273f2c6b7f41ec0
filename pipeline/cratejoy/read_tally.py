"""Whether a reading of a collection has shown all that the collection counts.

Pages are cut from a list that changes while they are read. What is deleted moves all behind it to the place before, so
that an object at the head of a page that was not read yet is on none; what is added may be on none either, but a hook
tells of it. And a page may come back empty. So each reading is counted, and one that is not whole is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.cratejoy.parsing import Page

MAX_READINGS = 2


@dataclass(frozen=True, slots=True)
class ReadTally:
    """What one reading has shown: plain values, to be kept between requests.

    reading: the number of the reading. shown: objects, each once. least, last: the least and the last count its pages
    named; None: none did. shrank: a page named a lower count than the one before.
    """

    reading: int = 1
    shown: int = 0
    least: int | None = None
    last: int | None = None
    shrank: bool = False

    def after(self, page: Page, new: int) -> ReadTally:
        """The tally after a page of which `new` objects had not been seen in this reading."""
        if page.count is None:
            return ReadTally(self.reading, self.shown + new, self.least, self.last, self.shrank)
        least = page.count if self.least is None else min(self.least, page.count)
        shrank = self.shrank or (self.last is not None and page.count < self.last)
        return ReadTally(self.reading, self.shown + new, least, page.count, shrank)

    @property
    def missing(self) -> int:
        """How many objects it was short of; 0 if no page named a count."""
        return max(0, (self.least or 0) - self.shown)

    @property
    def is_complete(self) -> bool:
        return not self.missing and not self.shrank

    @property
    def is_last_reading(self) -> bool:
        """Whether the collection is not read once more."""
        return self.is_complete or self.reading >= MAX_READINGS

    def kept(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return asdict(self)


def load_tally(kept: Mapping[str, Any] | None) -> ReadTally:
    """What was kept, as a tally again; a new one for nothing."""
    return ReadTally(**(kept or {}))
