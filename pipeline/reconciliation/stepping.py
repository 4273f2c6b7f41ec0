"""One step of a pass: one question to the API, and what it brought written down in one transaction."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from pipeline.cratejoy.client import Cratejoy
from pipeline.cratejoy.paging import Walk
from pipeline.cratejoy.reading import Page
from pipeline.cratejoy.tally import Tally, tally_of
from pipeline.errors import BadAnswer, Misconfigured
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.reconciliations import ReconciliationRow, change
from pipeline.ledger.shown import oldest_waiting
from pipeline.ledger.stores import get_store
from pipeline.reconciliation.asking import COLLECTIONS, Asked, Collection
from pipeline.reconciliation.judging import Rules
from pipeline.reconciliation.means import Means
from pipeline.reconciliation.recovering import Compared, compare_page
from pipeline.reconciliation.search import Search
from pipeline.reconciliation.showing import Shown
from pipeline.record.fence import hold
from pipeline.record.known import StoreRow, stores_by_name

HOURLY = 3_600_000_000
AGAIN = 300_000_000  # µs until a list that was short is read again
MOST_PAGES = 5_000
# Ids are given before they can be seen: so many below the largest seen are looked at again.
BEHIND = 1_000
LIMIT = 100


@dataclass(frozen=True, slots=True)
class Step:
    """What a step needs: from outside, the store's API, and where this collection stands."""

    means: Means
    api: Cratejoy
    row: ReconciliationRow

    @property
    def collection(self) -> Collection:
        return COLLECTIONS[self.row.collection]

    def take(self) -> Compared:
        """Ask once. Raises what the store's API does, and StaleFence if somebody else has taken this step."""
        if self.collection.by_id and self.row.floor is None:
            self._search()
            return Compared()
        return self._read()

    def _search(self) -> None:
        """One question on the way to the largest id there was before us."""
        row, now = self.row, self.means.now()
        search = Search(row.reached, int(row.cursor or 1), bool(row.barren))
        page = self.api.page(self.collection.resource, {"id__gt": str(search.asked)}, limit=LIMIT)
        ids = [one["id"] for one in page.results if one.get("id") is not None]
        if any(one <= search.asked for one in ids):
            raise BadAnswer(f"{row.collection}: the API does not heed a filter by id")
        found: dict[str, Any]
        if search.ends_with(ids):
            found = {"floor": search.low, "high": search.low, "reached": 0, "cursor": None, "barren": 0}
        else:
            further = search.after(ids)
            found = {"reached": further.low, "cursor": str(further.stride), "barren": int(further.shrinking)}
        with writing(self.means.engine) as db:
            change(db, row, **found, pages=row.pages + 1, next_at=now)

    def _read(self) -> Compared:
        begun = self._begun()
        asked_at = self.means.now()
        asked = Asked(max(begun.since, begun.mark - self.means.times.back), begun.high or 0)
        collection = self.collection
        filters = collection.filters(asked)
        page = self.api.page(collection.resource, filters, begun.cursor, LIMIT, with_=collection.with_)
        with reading(self.means.engine) as db:
            name = _name_of(db, begun.store_id)
        with writing(self.means.engine) as db:
            hold(db, "inbox")
            store = stores_by_name(db, {name})[name]
            now = self.means.now()
            compared = compare_page(db, store, self._shown(page, begun), self._rules(begun, store, asked_at), now)
            trouble = self._write(db, begun, page, compared, now)
        return replace(compared, trouble=trouble)

    def _begun(self) -> ReconciliationRow:
        """The row with its pass begun."""
        row = self.row
        if row.began_at is not None:
            return row
        began_at = self.means.now()
        fresh = Tally(tally_of(row.tally).reading).kept()
        return replace(
            row, began_at=began_at, cursor=None, pages=0, barren=0, visited=[], reached=0, unreadable=0, tally=fresh
        )

    def _rules(self, row: ReconciliationRow, store: StoreRow, asked_at: int) -> Rules:
        grace = self.means.times.grace
        return Rules(row.since, asked_at, grace, row.done_at is None, store.forward_tests, row.renewals_told)

    def _shown(self, page: Page, row: ReconciliationRow) -> Iterator[Shown]:
        """What the page shows. An API that does not heed our filters shows more than was asked for."""
        for one in page.results:
            if not self.collection.by_id or (one.get("id") or 0) > (row.floor or 0):
                yield from self.collection.show(one)

    def _write(self, db: Connection, begun: ReconciliationRow, page: Page, compared: Compared, now: int) -> str | None:
        """Returns what is wrong with the list, once it has been read to its end."""
        here = zlib.crc32((begun.cursor or "").encode())
        new = len(page.results) + len(page.bad) if here not in begun.visited else 0
        walk = Walk(begun.cursor, begun.pages, begun.barren).after(page, new, MOST_PAGES)
        if walk.cut and walk.pages >= MOST_PAGES:
            raise BadAnswer(f"{begun.collection}: more than {MOST_PAGES} pages")
        tally = tally_of(begun.tally).after(page, new)
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
        change(db, self.row, **values)
        return str(values["error"]) if values.get("error") else None

    def _ended(self, db: Connection, begun: ReconciliationRow, tally: Tally, reached: int, now: int) -> dict[str, Any]:
        """A list that was short is read again, from the same mark; then the mark moves, and it is said what is missing.

        It stays at that until a pass is whole: a count that is always too high must not double all work for ever.
        """
        if tally.is_whole:
            return self._completed(db, begun, reached, now) | {"tally": None}
        error = f"{begun.collection}: {tally.shown} of {tally.least} were shown"
        if not tally.missing:
            error = f"{begun.collection}: some were deleted while they were read, so others may be missing"
        again = {"tally": Tally(tally.reading + 1).kept(), "error": error}
        if not tally.is_last:
            return {"began_at": None, "cursor": None, "visited": [], "next_at": now + AGAIN, **again}
        kept = Tally(tally.reading).kept()
        return self._completed(db, begun, reached, now) | {"tally": kept, "error": error}

    def _completed(self, db: Connection, begun: ReconciliationRow, reached: int, now: int) -> dict[str, Any]:
        """The mark moves to where this pass began, and only now."""
        every = self.means.times.every or HOURLY
        done: dict[str, Any] = {"began_at": None, "cursor": None, "visited": [], "mark": begun.began_at, "done_at": now}
        done |= {"error": None, "next_at": now + every}
        if self.collection.by_id and begun.floor is not None:
            waiting = oldest_waiting(db, begun.store_id, "customer_new", now)
            behind = min([max(reached, begun.high or 0), *waiting]) - BEHIND
            done["high"] = max(begun.floor, behind)
        return done


def _name_of(db: Connection, store_id: int) -> str:
    store = get_store(db, store_id)
    if store is None:
        raise Misconfigured(f"there is no store {store_id}")
    return store.name
