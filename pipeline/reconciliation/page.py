"""One step of a pass: one question to the API, and what it brought written down in one transaction."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import BadResponse, Misconfigured
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.pagination import PageWalk
from pipeline.cratejoy.parsing import Page
from pipeline.cratejoy.read_tally import ReadTally, load_tally
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fence import lock_fence
from pipeline.ledger.observed_events import list_waiting_ids
from pipeline.ledger.reconciliations import ReconciliationRow, update_reconciliation
from pipeline.ledger.stores import get_store
from pipeline.reconciliation.classify import PageRules
from pipeline.reconciliation.collections import COLLECTIONS, Collection, ReadFrom
from pipeline.reconciliation.compare import PageComparison, compare_page
from pipeline.reconciliation.evidence import EventEvidence
from pipeline.reconciliation.id_search import IdSearch
from pipeline.recording.load import load_stores_by_name
from pipeline.recording.snapshot import RecordingStore
from pipeline.settings import Settings

SECOND_US = 1_000_000
DEFAULT_INTERVAL_US = 3_600_000_000
REREAD_DELAY_US = 300_000_000  # µs until a list that was short is read again
MAX_PAGES = 5_000
# Ids are given before they can be seen: so many below the largest seen are looked at again.
ID_OVERLAP = 1_000
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
    """What a step needs: from outside, the store's API, and where this collection stands."""

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
        """Ask once. Raises what the store's API does, and StaleFence if somebody else has taken this step."""
        if self.collection.by_id and self.row.floor is None:
            self._search()
            return PageComparison()
        return self._read()

    def _search(self) -> None:
        """One question on the way to the largest id there was before us."""
        row, now = self.row, self.context.now()
        search = IdSearch(row.reached, int(row.cursor or 1), bool(row.barren))
        page = self.api.page(self.collection.resource, {"id__gt": str(search.asked)}, limit=PAGE_SIZE)
        ids = [one["id"] for one in page.results if one.get("id") is not None]
        if any(one <= search.asked for one in ids):
            raise BadResponse(f"{row.collection}: the API does not heed a filter by id")
        found: dict[str, Any]
        if search.is_finished_by(ids):
            found = {"floor": search.low, "high": search.low, "reached": 0, "cursor": None, "barren": 0}
        else:
            further = search.after(ids)
            found = {"reached": further.low, "cursor": str(further.stride), "barren": int(further.is_shrinking)}
        with writing(self.context.engine) as db:
            update_reconciliation(db, row, **found, pages=row.pages + 1, next_at=now)

    def _read(self) -> PageComparison:
        begun = self._begin_pass()
        asked_at = self.context.now()
        asked = ReadFrom(max(begun.since, begun.mark - self.timing.lookback_us), begun.high or 0)
        collection = self.collection
        filters = collection.filters(asked)
        page = self.api.page(collection.resource, filters, begun.cursor, PAGE_SIZE, with_=collection.with_)
        with reading(self.context.engine) as db:
            name = _get_store_name(db, begun.store_id)
        with writing(self.context.engine) as db:
            lock_fence(db, "inbox")
            store = load_stores_by_name(db, {name})[name]
            now = self.context.now()
            compared = compare_page(
                db, store, self._find_evidence(page, begun), self._build_rules(begun, store, asked_at), now
            )
            trouble = self._write(db, begun, page, compared, now)
        return replace(compared, trouble=trouble)

    def _begin_pass(self) -> ReconciliationRow:
        """The row with its pass begun."""
        row = self.row
        if row.began_at is not None:
            return row
        began_at = self.context.now()
        fresh = ReadTally(load_tally(row.tally).reading).kept()
        return replace(
            row, began_at=began_at, cursor=None, pages=0, barren=0, visited=[], reached=0, unreadable=0, tally=fresh
        )

    def _build_rules(self, row: ReconciliationRow, store: RecordingStore, asked_at: int) -> PageRules:
        grace = self.timing.grace_us
        return PageRules(row.since, asked_at, grace, row.done_at is None, store.forward_tests, row.renewals_told)

    def _find_evidence(self, page: Page, row: ReconciliationRow) -> Iterator[EventEvidence]:
        """What the page shows. An API that does not heed our filters shows more than was asked for."""
        for one in page.results:
            if not self.collection.by_id or (one.get("id") or 0) > (row.floor or 0):
                yield from self.collection.show(one)

    def _write(
        self, db: Connection, begun: ReconciliationRow, page: Page, compared: PageComparison, now: int
    ) -> str | None:
        """Returns what is wrong with the list, once it has been read to its end."""
        here = zlib.crc32((begun.cursor or "").encode())
        new = len(page.results) + len(page.bad) if here not in begun.visited else 0
        walk = PageWalk(begun.cursor, begun.pages, begun.barren).after(page, new, MAX_PAGES)
        if walk.stop_reason and walk.pages >= MAX_PAGES:
            raise BadResponse(f"{begun.collection}: more than {MAX_PAGES} pages")
        tally = load_tally(begun.tally).after(page, new)
        reached = max([begun.reached, *(one.get("id") or 0 for one in page.results)])
        values: dict[str, Any] = {
            "began_at": begun.began_at,
            "cursor": walk.next,
            "pages": walk.pages,
            "barren": walk.barren,
            "visited": [*begun.visited, here],
            "reached": reached,
            "unreadable": begun.unreadable + len(page.bad),
            "renewals_told": compared.renewals,
            "tally": tally.kept(),
            "next_at": now,
        }
        if walk.done:
            values |= self._ended(db, begun, tally, reached, now)
        update_reconciliation(db, self.row, **values)
        return str(values["error"]) if values.get("error") else None

    def _ended(
        self, db: Connection, begun: ReconciliationRow, tally: ReadTally, reached: int, now: int
    ) -> dict[str, Any]:
        """A list that was short is read again, from the same mark; then the mark moves, and it is said what is missing.

        It stays at that until a pass is whole: a count that is always too high must not double all work for ever.
        """
        if tally.is_complete:
            return self._complete_pass(db, begun, reached, now) | {"tally": None}
        error = f"{begun.collection}: {tally.shown} of {tally.least} were shown"
        if not tally.missing:
            error = f"{begun.collection}: some were deleted while they were read, so others may be missing"
        again = {"tally": ReadTally(tally.reading + 1).kept(), "error": error}
        if not tally.is_last_reading:
            return {"began_at": None, "cursor": None, "visited": [], "next_at": now + REREAD_DELAY_US, **again}
        kept = ReadTally(tally.reading).kept()
        return self._complete_pass(db, begun, reached, now) | {"tally": kept, "error": error}

    def _complete_pass(self, db: Connection, begun: ReconciliationRow, reached: int, now: int) -> dict[str, Any]:
        """The mark moves to where this pass began, and only now."""
        every = self.timing.interval_us or DEFAULT_INTERVAL_US
        done: dict[str, Any] = {"began_at": None, "cursor": None, "visited": [], "mark": begun.began_at, "done_at": now}
        done |= {"error": None, "next_at": now + every}
        if self.collection.by_id and begun.floor is not None:
            waiting = list_waiting_ids(db, begun.store_id, "customer_new", now)
            behind = min([max(reached, begun.high or 0), *waiting]) - ID_OVERLAP
            done["high"] = max(begun.floor, behind)
        return done


def _get_store_name(db: Connection, store_id: int) -> str:
    store = get_store(db, store_id)
    if store is None:
        raise Misconfigured(f"there is no store {store_id}")
    return store.name
