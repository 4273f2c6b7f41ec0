"""How far a collection has been read: a page, a walk along the pages, and a count of the objects shown.

A public client's notes report gaps and jumps back to earlier pages; captures and documents disagree on the number of
the first page. So a walk follows `next`, recognises objects by their ids, and ends after several pages in a row without
a new object: that ends loops of any length, and tolerates an empty page and a jump back.

Pages are cut from a list that changes meanwhile. A deletion moves all later objects forward, so that the first object
of the next page is on no page at all. An addition may be on none either, but a hook reports it. So each reading is
counted, and one that has shown fewer objects than the collection counts is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

MAX_PAGES_WITHOUT_NEW = 3
MAX_PAGES = 100_000
MAX_READINGS = 2


@dataclass(frozen=True, slots=True)
class UnreadableObject:
    """An object that its schema cannot read. `errors`: path of the field -> messages; neither holds a value."""

    id: int | None
    errors: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a collection. `next`: the query that leads to the next page; None: this was the last."""

    results: list[dict[str, Any]]
    unreadable: list[UnreadableObject] = field(default_factory=list)
    next: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class RawPage:
    """One page of a collection, its objects as they were sent."""

    results: list[Any] = field(repr=False)
    next: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class PageWalk:
    """The position of a walk: plain values, to be stored between requests. `next` None and pages > 0: at the end."""

    next: str | None = None
    pages: int = 0
    barren: int = 0  # pages in a row without a new object
    done: bool = False
    stop_reason: str | None = None  # why the walk has ended although there was a `next`

    def after(self, page: Page | RawPage, new: int, max_pages: int = MAX_PAGES) -> PageWalk:
        """The walk after a page with `new` objects that no earlier page had shown."""
        barren = 0 if new else self.barren + 1
        walk = replace(self, next=page.next, pages=self.pages + 1, barren=barren)
        if page.next is None:
            return replace(walk, done=True)
        if barren >= MAX_PAGES_WITHOUT_NEW:
            return replace(walk, done=True, stop_reason="pages repeat, or stay empty")
        if walk.pages >= max_pages:
            return replace(walk, done=True, stop_reason="too many pages")
        return walk


@dataclass(frozen=True, slots=True)
class ReadTally:
    """What one reading has shown: plain values, to be stored between requests.

    reading: the number of the reading. shown: objects, each once. least, last: the least and the last count that its
    pages named; None: none did. shrank: whether a page named a lower count than the page before.
    """

    reading: int = 1
    shown: int = 0
    least: int | None = None
    last: int | None = None
    shrank: bool = False

    def after(self, page: Page | RawPage, new: int) -> ReadTally:
        """The tally after a page with `new` objects that this reading had not shown before."""
        if page.count is None:
            return ReadTally(self.reading, self.shown + new, self.least, self.last, self.shrank)
        least = page.count if self.least is None else min(self.least, page.count)
        shrank = self.shrank or (self.last is not None and page.count < self.last)
        return ReadTally(self.reading, self.shown + new, least, page.count, shrank)

    @property
    def missing(self) -> int:
        """How many objects were counted and not shown; 0 if no page named a count."""
        return max(0, (self.least or 0) - self.shown)

    @property
    def is_complete(self) -> bool:
        return not self.missing and not self.shrank

    @property
    def is_last_reading(self) -> bool:
        """Whether the collection is not read once more."""
        return self.is_complete or self.reading >= MAX_READINGS

    def to_json(self) -> dict[str, Any]:
        """The tally as the ledger stores it."""
        return asdict(self)


def load_tally(stored: Mapping[str, Any] | None) -> ReadTally:
    """The tally that was stored; a new one if there was none."""
    return ReadTally(**(stored or {}))
