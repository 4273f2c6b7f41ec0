"""Reads a small collection to its end, with each object once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.core.errors import BadResponse, BrokenPage
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.pagination import Page, PageWalk, ReadTally


@dataclass(frozen=True, slots=True)
class CollectionRead:
    """A collection that was read to its end. `missing_count`: how many more objects it counts than it shows."""

    pages: list[Page]
    missing_count: int = 0

    @property
    def ids(self) -> set[int | None]:
        """The ids of its objects, including those that cannot be read."""
        readable = {found.get("id") for page in self.pages for found in page.results}
        return readable | {found.id for page in self.pages for found in page.unreadable}


def read_collection(
    store: CratejoyClient,
    resource: str,
    filters: Mapping[str, str] | None = None,
    *,
    with_: Sequence[str] = (),
    max_pages: int = 100,
) -> CollectionRead:
    """Read a collection. If it shows fewer objects than it counts, it is read again.

    Two readings that show the same objects are accepted, and `missing_count` says how many the count is ahead. Raises
    what `CratejoyClient.page` does; BrokenPage if two incomplete readings differ; BadResponse if there are more pages
    than `max_pages`: a part of a collection must not pass for all of it.
    """
    first, tally = _read_once(store, resource, filters, with_, max_pages)
    if tally.is_complete:
        return first
    second, tally = _read_once(store, resource, filters, with_, max_pages)
    if tally.missing and second.ids != first.ids:
        raise BrokenPage(f"{resource}: {tally.shown} of {tally.least} were shown, and others the time before")
    return second


def _read_once(
    store: CratejoyClient, resource: str, filters: Mapping[str, str] | None, with_: Sequence[str], max_pages: int
) -> tuple[CollectionRead, ReadTally]:
    walk, tally, seen, pages = PageWalk(), ReadTally(), set[int](), list[Page]()
    while not walk.done:
        page = _drop_seen(store.page(resource, filters, walk.next, with_=with_), seen)
        new = len(page.results) + len(page.unreadable)
        walk, tally = walk.after(page, new, max_pages), tally.after(page, new)
        pages.append(page)
    if walk.stop_reason and walk.pages >= max_pages:
        raise BadResponse(f"{resource}: more than {max_pages} pages")
    return CollectionRead(pages, tally.missing), tally


def _drop_seen(page: Page, seen: set[int]) -> Page:
    """The page without the objects that earlier pages have shown."""
    results = [found for found in page.results if _mark_seen(found.get("id"), seen)]
    unreadable = [found for found in page.unreadable if _mark_seen(found.id, seen)]
    return replace(page, results=results, unreadable=unreadable)


def _mark_seen(id_: int | None, seen: set[int]) -> bool:
    """Mark an id as seen. Return whether it is new; an object without an id counts as new."""
    if id_ is None:
        return True
    is_known = id_ in seen
    seen.add(id_)
    return not is_known
