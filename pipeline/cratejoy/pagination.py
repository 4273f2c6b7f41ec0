"""When a walk through a collection's pages ends, however unreliable its `next` is. No computing of pages.

A public client's notes tell of gaps and of jumps back to earlier pages; captures and documents disagree on the first
page's number. So a walk follows `next`, knows objects by their ids, and ends where several pages in a row have
brought nothing new: that ends loops of any length, and forgives an empty page and a jump back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.core.errors import BadResponse, BrokenPage
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.parsing import Page
from pipeline.cratejoy.read_tally import ReadTally

MAX_PAGES_WITHOUT_NEW = 3
MAX_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class PageWalk:
    """Where a walk stands: plain values, to be kept between requests. `next` None and pages > 0: at the end."""

    next: str | None = None
    pages: int = 0
    barren: int = 0  # pages in a row that brought nothing new
    done: bool = False
    stop_reason: str | None = None  # why it ended although there was a `next`

    def after(self, page: Page, new: int, most_pages: int = MAX_PAGES) -> PageWalk:
        """The walk after a page of which `new` objects had not been seen before."""
        barren = 0 if new else self.barren + 1
        walked = replace(self, next=page.next, pages=self.pages + 1, barren=barren)
        if page.next is None:
            return replace(walked, done=True)
        if barren >= MAX_PAGES_WITHOUT_NEW:
            return replace(walked, done=True, stop_reason="pages repeat, or stay empty")
        if walked.pages >= most_pages:
            return replace(walked, done=True, stop_reason="too many pages")
        return walked


@dataclass(frozen=True, slots=True)
class CollectionRead:
    """A small collection, read to its end. `uncounted`: how many more objects it counts than it shows."""

    pages: list[Page]
    missing_count: int = 0

    @property
    def ids(self) -> set[int | None]:
        """The ids of its objects, of those too that cannot be read."""
        return {one.get("id") for page in self.pages for one in page.results} | {
            one.id for page in self.pages for one in page.bad
        }


def read_collection(
    store: CratejoyClient,
    resource: str,
    filters: Mapping[str, str] | None = None,
    *,
    with_: Sequence[str] = (),
    max_pages: int = 100,
) -> CollectionRead:
    """A small collection, with each object once. One that shows less than it counts is read again.

    Two readings that show the same are believed, and `uncounted` says how many the count is ahead. Raises as a page
    does; BrokenPage if two readings that are both short differ; BadAnswer if there are more pages than it may read:
    part of a collection must not pass for the whole.
    """
    first, tally = _read_once(store, resource, filters, with_, max_pages)
    if tally.is_complete:
        return first
    again, tally = _read_once(store, resource, filters, with_, max_pages)
    if tally.missing and again.ids != first.ids:
        raise BrokenPage(f"{resource}: {tally.shown} of {tally.least} were shown, and others the time before")
    return again


def read_pages(
    store: CratejoyClient,
    resource: str,
    filters: Mapping[str, str] | None = None,
    *,
    with_: Sequence[str] = (),
    max_pages: int = 100,
) -> Iterator[Page]:
    """The pages of a small collection, read as `whole` does."""
    yield from read_collection(store, resource, filters, with_=with_, max_pages=max_pages).pages


def iter_objects(
    store: CratejoyClient, resource: str, filters: Mapping[str, str] | None = None, *, with_: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """All objects of a small collection, each once; those that cannot be read are left out."""
    for page in read_pages(store, resource, filters, with_=with_):
        yield from page.results


def _read_once(
    store: CratejoyClient, resource: str, filters: Mapping[str, str] | None, with_: Sequence[str], max_pages: int
) -> tuple[CollectionRead, ReadTally]:
    """One reading."""
    walk, tally, seen, read = PageWalk(), ReadTally(), set[int](), list[Page]()
    while not walk.done:
        page = _drop_seen(store.page(resource, filters, walk.next, with_=with_), seen)
        new = len(page.results) + len(page.bad)
        walk, tally = walk.after(page, new, max_pages), tally.after(page, new)
        read.append(page)
    if walk.stop_reason and walk.pages >= max_pages:
        raise BadResponse(f"{resource}: more than {max_pages} pages")
    return CollectionRead(read, tally.missing), tally


def _drop_seen(page: Page, seen: set[int]) -> Page:
    """What of a page nobody has seen."""
    results = [one for one in page.results if _mark_seen(one.get("id"), seen)]
    return replace(page, results=results, bad=[one for one in page.bad if _mark_seen(one.id, seen)])


def _mark_seen(id_: int | None, seen: set[int]) -> bool:
    """Whether nobody has seen this id; seen from now on. What has none can only be taken for new."""
    if id_ is None:
        return True
    known = id_ in seen
    seen.add(id_)
    return not known
