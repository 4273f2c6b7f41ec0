"""What a page changes: what it teaches goes into the ledger, and the backfill's row to its next place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from pipeline.backfill.phases import CUSTOMERS, OTHERS, PAGE_SIZE, get_collections, get_next_phase
from pipeline.cratejoy.pagination import MAX_PAGES, PageWalk
from pipeline.cratejoy.parsing import Page
from pipeline.cratejoy.read_tally import ReadTally, load_tally
from pipeline.ledger.backfills import DONE, SHORT, BackfillRow, lock_backfill
from pipeline.ledger.stores import get_store
from pipeline.recording.api_page import ApiPage, enqueue_unsent_profiles, record_api_page
from pipeline.recording.load import load_stores_by_name
from pipeline.recording.snapshot import RecordingStore

UNREADABLE = "unreadable"  # beside the collections in a row's `done`


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A page, and when it was asked for."""

    resource: str
    page: Page
    asked_at: int


def lock_for_write(db: Connection, row: BackfillRow) -> RecordingStore | None:
    """The store, both locked until the transaction ends; None if the backfill has changed since it was read.

    The store first, as whoever connects it does: else the two could wait for each other.
    """
    named = get_store(db, row.store_id)
    store = load_stores_by_name(db, [named.name]).get(named.name) if named else None
    return store if lock_backfill(db, row) else None


def next_to_count(row: BackfillRow) -> str:
    """Whose count is asked for next."""
    return next(name for name in get_collections(row.kind) if name not in row.totals)


def build_count_changes(row: BackfillRow, resource: str, count: int | None, now: int) -> dict[str, Any]:
    """The row's changes once a collection has been counted."""
    totals = {**row.totals, resource: count or 0}
    rest = [name for name in get_collections(row.kind) if name not in totals]
    following = {} if rest else {"phase": get_next_phase(row.kind, row.phase)}
    return {"totals": totals, "attempts": 0, "error": None, "next_step_at": now, **following}


def write_page(
    db: Connection, row: BackfillRow, store: RecordingStore, fetched: FetchedPage, now: int
) -> dict[str, Any]:
    """Write a page; returns the row's changes."""
    page, name, before = fetched.page, fetched.resource, load_tally(row.tally)
    listed = ApiPage(name, page.results, fetched.asked_at, _build_mark(row, before), sends_profiles=name == CUSTOMERS)
    new = record_api_page(db, store, listed, now) + len(page.bad)
    tally = before.after(page, new)
    walk = PageWalk(row.cursor, row.phase_pages, row.barren).after(page, new, _get_max_pages(page))
    done = {**row.done, name: max(row.done.get(name, 0), tally.shown)}
    if page.bad and tally.reading == 1:
        done[UNREADABLE] = done.get(UNREADABLE, 0) + len(page.bad)
    total = page.count if page.count is not None else row.totals.get(name, 0)
    changed = {
        "done": done,
        "totals": {**row.totals, name: total},
        "pages": row.pages + 1,
        "attempts": 0,
        "next_step_at": now,
        "error": row.error if not row.attempts else None,  # of a collection before; no failure that is over
    }
    if walk.done:
        return changed | _finish_collection(row, name, walk, tally, changed)
    return {**changed, "cursor": walk.next, "phase_pages": walk.pages, "barren": walk.barren, "tally": tally.kept()}


def _finish_collection(
    row: BackfillRow, name: str, walk: PageWalk, tally: ReadTally, changed: dict[str, Any]
) -> dict[str, Any]:
    """The next phase, or the collection once more if it was not whole; the second time it is said what is missing."""
    fresh: dict[str, Any] = {"cursor": None, "phase_pages": 0, "barren": 0, "tally": None}
    if not tally.is_last_reading:
        return {**fresh, "tally": ReadTally(tally.reading + 1).kept()}
    shown, counted = changed["done"][name], tally.least or 0
    troubles = (
        changed["error"],
        f"{name}: {walk.stop_reason}" if walk.stop_reason else None,
        f"{name}: {shown} of {counted} were shown, in {tally.reading} readings" if shown < counted else None,
        f"{name}: some were deleted during each of {tally.reading} readings, so others may be missing"
        if tally.shrank
        else None,
    )
    return {
        **fresh,
        "phase": get_next_phase(row.kind, row.phase),
        "totals": {**changed["totals"], name: max(shown, counted)},
        "error": "; ".join(filter(None, troubles)) or None,
    }


def write_others(db: Connection, row: BackfillRow, store: RecordingStore, now: int) -> dict[str, Any]:
    """Tell of some of those whom no page of customers has shown; returns the row's changes."""
    told = enqueue_unsent_profiles(db, store, PAGE_SIZE, now)
    done = {**row.done, OTHERS: row.done.get(OTHERS, 0) + told}
    if told:
        return {"done": done, "next_step_at": now}
    short = any(row.done.get(name, 0) < row.totals.get(name, 0) for name in get_collections(row.kind))
    return {"state": SHORT if short else DONE, "ended_at": now}


def _build_mark(row: BackfillRow, tally: ReadTally) -> int | str:
    """What objects of this reading are marked with, so that each counts once in it."""
    return row.id if tally.reading == 1 else f"{row.id}:{tally.reading}"


def _get_max_pages(page: Page) -> int:
    """More pages than any honest collection of this size has: even with one object on each, thrice."""
    return MAX_PAGES if page.count is None else 3 * page.count + 20
