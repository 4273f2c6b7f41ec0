"""One step of a pass: one request to the API, and one transaction that compares and writes the result."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import BadResponse, Misconfigured
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.pagination import Page, PageWalk, ReadTally, load_tally
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.inbox_fence import lock_inbox
from pipeline.ledger.observed_events import list_waiting_ids
from pipeline.ledger.reconciliations import ReconciliationRow, update_reconciliation
from pipeline.ledger.stores import get_store
from pipeline.reconciliation.classify import PageRules
from pipeline.reconciliation.collections import COLLECTIONS, Collection, IdSearch, ReadFrom
from pipeline.reconciliation.compare import PageComparison, compare_page
from pipeline.reconciliation.evidence import EventEvidence
from pipeline.recording.load_stores import load_stores_by_name
from pipeline.recording.snapshot import RecordingStore
from pipeline.settings import Settings

SECOND_US = 1_000_000
DEFAULT_INTERVAL_US = 3_600_000_000
REREAD_DELAY_US = 300_000_000  # until a list that was short is read again
MAX_PAGES = 5_000
ID_OVERLAP = 1_000  # ids below the largest that are read again: an id is assigned before its object can be seen
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class ReconciliationTiming:
    """All in µs. `interval_us`: 0 if passes run only on request. `grace_us`: how late a hook may be before it counts as
    missed.
    """

    interval_us: int
    overlap_us: int
    grace_us: int

    @property
    def lookback_us(self) -> int:
        """How far before its mark a pass begins: an object that was within its grace then must be seen again."""
        return max(self.overlap_us, self.grace_us)


def build_timing(settings: Settings) -> ReconciliationTiming:
    """The timing that the settings ask for."""
    spans = (settings.reconcile_seconds, settings.reconcile_overlap_seconds, settings.reconcile_grace_seconds)
    return ReconciliationTiming(*(round(span * SECOND_US) for span in spans))


@dataclass(frozen=True, slots=True)
class PageStep:
    """The step that is due for one collection. `row`: where the pass over it stands."""

    context: Context
    api: CratejoyClient
    row: ReconciliationRow

    @property
    def collection(self) -> Collection:
        return COLLECTIONS[self.row.collection]

    @property
    def timing(self) -> ReconciliationTiming:
        return build_timing(self.context.settings)

    def take(self) -> PageComparison:
        """Send one request. Raises what the store's API does, and StaleFence if another worker has taken this step."""
        if self.collection.is_read_by_id and self.row.floor is None:
            self._search()
            return PageComparison()
        return self._read()

    def _search(self) -> None:
        """One request of the search for the largest id that existed before the store was connected."""
        row, now = self.row, self.context.now()
        search = IdSearch(row.reached, int(row.cursor or 1), bool(row.barren))
        page = self.api.page(self.collection.resource, {"id__gt": str(search.asked)}, limit=PAGE_SIZE)
        ids = [found["id"] for found in page.results if found.get("id") is not None]
        if any(id_ <= search.asked for id_ in ids):
            raise BadResponse(f"{row.collection}: the API ignores a filter by id")
        values: dict[str, Any]
        if search.is_finished_by(ids):
            values = {"floor": search.low, "high": search.low, "reached": 0, "cursor": None, "barren": 0}
        else:
            search = search.after(ids)
            values = {"reached": search.low, "cursor": str(search.stride), "barren": int(search.is_shrinking)}
        with writing(self.context.engine) as conn:
            update_reconciliation(conn, row, **values, pages=row.pages + 1, next_at=now)

    def _read(self) -> PageComparison:
        row = self._begin_pass()
        asked_at = self.context.now()
        start = ReadFrom(max(row.since, row.mark - self.timing.lookback_us), row.high or 0)
        collection = self.collection
        filters = collection.filters(start)
        page = self.api.page(collection.resource, filters, row.cursor, PAGE_SIZE, with_=collection.relations)
        with reading(self.context.engine) as conn:
            name = _get_store_name(conn, row.store_id)
        with writing(self.context.engine) as conn:
            lock_inbox(conn)
            store = load_stores_by_name(conn, {name}).get(name)
            if store is None:
                raise Misconfigured(f"store {name} is being removed")
            now = self.context.now()
            evidence, rules = self._find_evidence(page, row), self._build_rules(row, store, asked_at)
            comparison = compare_page(conn, store, evidence, rules, now, self.context.settings.secret_keys)
            error = self._write(conn, row, page, comparison, now)
        return replace(comparison, error=error)

    def _begin_pass(self) -> ReconciliationRow:
        """The row of the pass that is under way, or of a new pass."""
        row = self.row
        if row.began_at is not None:
            return row
        began_at, tally = self.context.now(), ReadTally(load_tally(row.tally).reading).to_json()
        return replace(
            row, began_at=began_at, cursor=None, pages=0, barren=0, visited=[], reached=0, unreadable=0, tally=tally
        )

    def _build_rules(self, row: ReconciliationRow, store: RecordingStore, asked_at: int) -> PageRules:
        return PageRules(
            since=row.since,
            asked_at=asked_at,
            grace_us=self.timing.grace_us,
            is_first_pass=row.done_at is None,
            forwards_tests=store.forward_tests,
            sends_renewals=row.renewals_told,
        )

    def _find_evidence(self, page: Page, row: ReconciliationRow) -> Iterator[EventEvidence]:
        """The events that the page shows. An API that ignores our filters shows more objects than were requested."""
        for shown in page.results:
            if not self.collection.is_read_by_id or (shown.get("id") or 0) > (row.floor or 0):
                yield from self.collection.find_events(shown)

    def _write(
        self, conn: Connection, row: ReconciliationRow, page: Page, comparison: PageComparison, now: int
    ) -> str | None:
        """Write where the pass stands now. Return what is wrong with the list, once it has been read to its end."""
        page_hash = zlib.crc32((row.cursor or "").encode())
        new = len(page.results) + len(page.unreadable) if page_hash not in row.visited else 0
        walk = PageWalk(row.cursor, row.pages, row.barren).after(page, new, MAX_PAGES)
        if walk.stop_reason and walk.pages >= MAX_PAGES:
            raise BadResponse(f"{row.collection}: more than {MAX_PAGES} pages")
        tally = load_tally(row.tally).after(page, new)
        reached = max([row.reached, *(shown.get("id") or 0 for shown in page.results)])
        values: dict[str, Any] = {
            "began_at": row.began_at,
            "cursor": walk.next,
            "pages": walk.pages,
            "barren": walk.barren,
            "visited": [*row.visited, page_hash],
            "reached": reached,
            "unreadable": row.unreadable + len(page.unreadable),
            "renewals_told": comparison.sends_renewals,
            "tally": tally.to_json(),
            "next_at": now,
        }
        if walk.done:
            values |= self._finish_reading(conn, row, tally, reached, now)
        update_reconciliation(conn, self.row, **values)
        return str(values["error"]) if values.get("error") else None

    def _finish_reading(
        self, conn: Connection, row: ReconciliationRow, tally: ReadTally, reached: int, now: int
    ) -> dict[str, Any]:
        """Read a list that was short again, from the same mark. After that the mark moves, and the error says what is
        missing.

        Later passes are read once until one is complete: a count that is always too high must not double all requests.
        """
        if tally.is_complete:
            return self._complete_pass(conn, row, reached, now) | {"tally": None}
        error = f"{row.collection}: {tally.shown} of {tally.least} were shown"
        if not tally.missing:
            error = f"{row.collection}: some were deleted while they were read, so others may be missing"
        again = {"tally": ReadTally(tally.reading + 1).to_json(), "error": error}
        if not tally.is_last_reading:
            return {"began_at": None, "cursor": None, "visited": [], "next_at": now + REREAD_DELAY_US, **again}
        last = ReadTally(tally.reading).to_json()
        return self._complete_pass(conn, row, reached, now) | {"tally": last, "error": error}

    def _complete_pass(self, conn: Connection, row: ReconciliationRow, reached: int, now: int) -> dict[str, Any]:
        """Move the mark to the time at which this pass began."""
        interval_us = self.timing.interval_us or DEFAULT_INTERVAL_US
        done: dict[str, Any] = {"began_at": None, "cursor": None, "visited": [], "mark": row.began_at, "done_at": now}
        done |= {"error": None, "next_at": now + interval_us}
        if self.collection.is_read_by_id and row.floor is not None:
            waiting = list_waiting_ids(conn, row.store_id, "customer_new", now)
            max_compared = min([max(reached, row.high or 0), *waiting]) - ID_OVERLAP
            done["high"] = max(row.floor, max_compared)
        return done


def _get_store_name(conn: Connection, store_id: int) -> str:
    store = get_store(conn, store_id)
    if store is None:
        raise Misconfigured(f"there is no store {store_id}")
    return store.name
