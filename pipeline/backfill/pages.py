"""What a page changes: what it teaches goes into the ledger, and the backfill's row to its next place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from pipeline.backfill.phases import CUSTOMERS, OTHERS, PAGE, collections_of, phase_after
from pipeline.cratejoy.paging import MOST_PAGES, Walk
from pipeline.cratejoy.reading import Page
from pipeline.ledger.backfills import DONE, BackfillRow, lock_backfill
from pipeline.ledger.stores import get_store
from pipeline.record.known import StoreRow, stores_by_name
from pipeline.record.listed import ListedPage, record_page, tell_untold

UNREADABLE = "unreadable"  # beside the collections in a row's `done`


@dataclass(frozen=True, slots=True)
class Read:
    """A page, and when it was asked for."""

    resource: str
    page: Page
    asked_at: int


def ready_for_next(db: Connection, row: BackfillRow) -> StoreRow | None:
    """The store, both locked until the transaction ends; None if the backfill has changed since it was read.

    The store first, as whoever connects it does: else the two could wait for each other.
    """
    named = get_store(db, row.store_id)
    store = stores_by_name(db, [named.name]).get(named.name) if named else None
    return store if lock_backfill(db, row) else None


def first_uncounted(row: BackfillRow) -> str:
    """Whose count is asked for next."""
    return next(name for name in collections_of(row.kind) if name not in row.totals)


def after_counting(row: BackfillRow, resource: str, count: int | None, now: int) -> dict[str, Any]:
    """The row's changes once a collection has been counted."""
    totals = {**row.totals, resource: count or 0}
    rest = [name for name in collections_of(row.kind) if name not in totals]
    following = {} if rest else {"phase": phase_after(row.kind, row.phase)}
    return {"totals": totals, "attempts": 0, "error": None, "next_step_at": now, **following}


def after_page(db: Connection, row: BackfillRow, store: StoreRow, read: Read, now: int) -> dict[str, Any]:
    """Write a page; returns the row's changes."""
    page, name = read.page, read.resource
    listed = ListedPage(name, page.results, read.asked_at, row.id, tells=name == CUSTOMERS)
    shown = record_page(db, store, listed, now) + len(page.bad)
    total = page.count if page.count is not None else row.totals.get(name, 0)
    walk = Walk(row.cursor, row.phase_pages, row.barren).after(page, shown, _most_pages(page))
    done = {**row.done, name: row.done.get(name, 0) + shown}
    if page.bad:
        done[UNREADABLE] = done.get(UNREADABLE, 0) + len(page.bad)
    told_before = row.error if not row.attempts else None  # a collection that was cut; no failure that is over
    changed = {
        "done": done,
        "totals": {**row.totals, name: total},
        "pages": row.pages + 1,
        "attempts": 0,
        "next_step_at": now,
        "error": f"{name}: {walk.cut}" if walk.cut else told_before,
    }
    if walk.done:
        fresh = {"cursor": None, "phase_pages": 0, "barren": 0}
        return {**changed, "phase": phase_after(row.kind, row.phase), **fresh}
    return {**changed, "cursor": walk.next, "phase_pages": walk.pages, "barren": walk.barren}


def after_others(db: Connection, row: BackfillRow, store: StoreRow, now: int) -> dict[str, Any]:
    """Tell of some of those whom no page of customers has shown; returns the row's changes."""
    told = tell_untold(db, store, PAGE, now)
    done = {**row.done, OTHERS: row.done.get(OTHERS, 0) + told}
    return {"done": done, "next_step_at": now} if told else {"state": DONE, "ended_at": now}


def _most_pages(page: Page) -> int:
    """More pages than any honest collection of this size has: even with one object on each, thrice."""
    return MOST_PAGES if page.count is None else 3 * page.count + 20
