"""Writes a page: its objects into the ledger, and the position of the next page into the backfill's row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from pipeline.backfill.phases import CUSTOMERS, OTHERS, PAGE_SIZE, get_collections, get_next_phase
from pipeline.cratejoy.pagination import MAX_PAGES, Page, PageWalk, ReadTally, load_tally
from pipeline.ledger.backfills import DONE, SHORT, BackfillRow, lock_backfill
from pipeline.ledger.stores import get_store
from pipeline.recording.api_page import ApiPage, enqueue_unsent_profiles, record_api_page
from pipeline.recording.load_stores import load_stores_by_name
from pipeline.recording.snapshot import RecordingStore

UNREADABLE = "unreadable"  # beside the collections in a row's `done`


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A page, and when it was requested (µs)."""

    resource: str
    page: Page
    asked_at: int


def lock_for_write(conn: Connection, row: BackfillRow) -> RecordingStore | None:
    """Lock the store and the backfill until the transaction ends. Return the store; None if the backfill has changed
    since it was read.

    The store comes first, as in `connect`: in another order the two could wait for each other.
    """
    store_row = get_store(conn, row.store_id)
    store = load_stores_by_name(conn, [store_row.name]).get(store_row.name) if store_row else None
    return store if lock_backfill(conn, row) else None


def next_to_count(row: BackfillRow) -> str:
    """The collection whose count is requested next."""
    return next(name for name in get_collections(row.kind) if name not in row.totals)


def build_count_changes(row: BackfillRow, resource: str, count: int | None, now: int) -> dict[str, Any]:
    """The row's changes once a collection has been counted."""
    totals = {**row.totals, resource: count or 0}
    is_counting_done = all(name in totals for name in get_collections(row.kind))
    next_phase = {"phase": get_next_phase(row.kind, row.phase)} if is_counting_done else {}
    return {"totals": totals, "attempts": 0, "error": None, "next_step_at": now, **next_phase}


def write_page(
    conn: Connection,
    row: BackfillRow,
    store: RecordingStore,
    fetched: FetchedPage,
    now: int,
    secret_keys: Sequence[str] = (),
) -> dict[str, Any]:
    """Record the objects of a page. Return the row's changes.

    `secret_keys` as in `record_api_page`.
    """
    page, name, previous = fetched.page, fetched.resource, load_tally(row.tally)
    mark = _build_mark(row, previous)
    api_page = ApiPage(name, page.results, fetched.asked_at, mark, sends_profiles=name == CUSTOMERS, plans_lookups=True)
    new = record_api_page(conn, store, api_page, now, secret_keys) + len(page.unreadable)
    tally = previous.after(page, new)
    walk = PageWalk(row.cursor, row.phase_pages, row.barren).after(page, new, _get_max_pages(page))
    done = {**row.done, name: max(row.done.get(name, 0), tally.shown)}
    if page.unreadable and tally.reading == 1:
        done[UNREADABLE] = done.get(UNREADABLE, 0) + len(page.unreadable)
    total = page.count if page.count is not None else row.totals.get(name, 0)
    changes = {
        "done": done,
        "totals": {**row.totals, name: total},
        "pages": row.pages + 1,
        "attempts": 0,
        "next_step_at": now,
        "error": row.error if not row.attempts else None,  # of an earlier collection; a failure that is over is dropped
    }
    if walk.done:
        return changes | _finish_collection(row, name, walk, tally, changes)
    return {**changes, "cursor": walk.next, "phase_pages": walk.pages, "barren": walk.barren, "tally": tally.to_json()}


def _finish_collection(
    row: BackfillRow, name: str, walk: PageWalk, tally: ReadTally, changes: dict[str, Any]
) -> dict[str, Any]:
    """Go on to the next phase, or read the collection once more if objects are missing. After the second reading the
    row's error says what is missing.
    """
    start: dict[str, Any] = {"cursor": None, "phase_pages": 0, "barren": 0, "tally": None}
    if not tally.is_last_reading:
        return {**start, "tally": ReadTally(tally.reading + 1).to_json()}
    shown, counted = changes["done"][name], tally.least or 0
    errors = (
        changes["error"],
        f"{name}: {walk.stop_reason}" if walk.stop_reason else None,
        f"{name}: {shown} of {counted} were shown, in {tally.reading} readings" if shown < counted else None,
        f"{name}: some were deleted during each of {tally.reading} readings, so others may be missing"
        if tally.shrank
        else None,
    )
    return {
        **start,
        "phase": get_next_phase(row.kind, row.phase),
        "totals": {**changes["totals"], name: max(shown, counted)},
        "error": "; ".join(filter(None, errors)) or None,
    }


def write_others(conn: Connection, row: BackfillRow, store: RecordingStore, now: int) -> dict[str, Any]:
    """Send the profiles of some people who were on no page of customers. Return the row's changes."""
    sent = enqueue_unsent_profiles(conn, store, PAGE_SIZE, now)
    done = {**row.done, OTHERS: row.done.get(OTHERS, 0) + sent}
    if sent:
        return {"done": done, "next_step_at": now}
    is_short = any(row.done.get(name, 0) < row.totals.get(name, 0) for name in get_collections(row.kind))
    return {"state": SHORT if is_short else DONE, "ended_at": now}


def _build_mark(row: BackfillRow, tally: ReadTally) -> int | str:
    """The mark of objects that this reading has shown, so that each counts once."""
    return row.id if tally.reading == 1 else f"{row.id}:{tally.reading}"


def _get_max_pages(page: Page) -> int:
    """More pages than a collection of this size can have: three times as many as it has objects, and some."""
    return MAX_PAGES if page.count is None else 3 * page.count + 20
