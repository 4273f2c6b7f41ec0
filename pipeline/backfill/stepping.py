"""Takes a backfill's steps: reads a page, writes it and the place of the next one in one transaction, goes on.

Nothing here waits. When the budget of requests is used up, or something failed, the row says when to come back. A
lease keeps two workers from reading the same page; that nothing is written twice is seen to by `move_on` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from pipeline import keys
from pipeline.backfill.counting import count_wait, count_written
from pipeline.backfill.faults import judge
from pipeline.backfill.hooks_first import waits_for_hooks
from pipeline.backfill.means import Listing, Means
from pipeline.backfill.pages import Read, after_counting, after_others, after_page, first_uncounted, ready_for_next
from pipeline.backfill.phases import COUNTING, OTHERS, PAGE, question_of
from pipeline.errors import CratewireError, Wait
from pipeline.lanes.lease import Lease
from pipeline.ledger.backfills import FAILED, RUNNING, BackfillRow, get_backfill, move_on
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import note_api, note_success
from pipeline.record.known import StoreRow

SECOND = 1_000_000
STAY = 3 * SECOND  # how long one task goes on before it lets others at the worker
LEASE_MS = 1_000  # how long a killed worker's page rests; a living worker renews it
ASK_AGAIN = SECOND
_TOKEN_BITS = 128


@dataclass(frozen=True, slots=True)
class Stepped:
    """How far a task came. `again_at` (µs): when the next step is to be taken; None: not by us. `trouble`: what the
    store's API had against it.
    """

    pages: int
    again_at: int | None
    store_id: int | None = None
    trouble: str | None = None


def take_steps(means: Means, backfill_id: int, planned_at: int) -> Stepped:
    """Go on until time is up, or something has to be waited for.

    `planned_at`: the row's `next_step_at` as the caller knows it. If it has changed, somebody else has been here.
    Raises redis.RedisError or SQLAlchemyError if one of ours is away; the sweep comes back then.
    """
    token = f"{means.rng.getrandbits(_TOKEN_BITS):032x}"
    lease = Lease(means.redis, keys.backfill_lease(backfill_id), token, LEASE_MS)
    if not lease.acquire():
        return Stepped(0, None)
    try:
        with lease.kept():
            return _Steps(means, backfill_id).take(planned_at)
    finally:
        lease.release()


class _Steps:
    """One task's time at one backfill."""

    def __init__(self, means: Means, backfill_id: int) -> None:
        self._means = means
        self._id = backfill_id
        self._api: Listing | None = None
        self._trouble: str | None = None

    def take(self, planned_at: int) -> Stepped:
        first = self._row()
        if first is None or first.next_step_at != planned_at:
            return Stepped(0, None)
        row, until, ours = first, self._means.now() + STAY, True
        while ours and row.state == RUNNING and row.next_step_at <= self._means.now() < until:
            ours = self._step(row)
            if ours:  # else it was stopped, or somebody else goes on
                row = self._row() or row
        again_at = row.next_step_at if ours and row.state == RUNNING else None
        return Stepped(row.pages - first.pages, again_at, row.store_id, self._trouble)

    def _step(self, row: BackfillRow) -> bool:
        """One page, or a note of when to come back. False: the row is not ours to go on with."""
        if self._waits_for_hooks(row):
            return self._move(row, next_step_at=self._means.now() + ASK_AGAIN)
        try:
            if row.phase == OTHERS:
                return self._tell_others(row)
            return self._count(row) if row.phase == COUNTING else self._read_page(row)
        except Wait as wait:
            return self._come_back(row, wait)
        except CratewireError as error:
            return self._fault(row, error)

    def _count(self, row: BackfillRow) -> bool:
        resource = first_uncounted(row)
        page = self._store(row).page(resource, limit=1)
        return self._move(row, **after_counting(row, resource, page.count, self._means.now()))

    def _read_page(self, row: BackfillRow) -> bool:
        question, asked_at = question_of(row), self._means.now()
        store = self._store(row)
        page = store.page(question.resource, question.filters, row.cursor, PAGE, with_=question.relations)
        read = Read(question.resource, page, asked_at)
        now = self._means.now()
        return self._write(row, lambda db, store_row: after_page(db, row, store_row, read, now))

    def _tell_others(self, row: BackfillRow) -> bool:
        now = self._means.now()
        return self._write(row, lambda db, store_row: after_others(db, row, store_row, now))

    def _write(self, row: BackfillRow, brought: Callable[[Connection, StoreRow], dict[str, Any]]) -> bool:
        """What a step has brought, and the place of the next one, in one transaction; counted once it is committed."""
        with writing(self._means.engine) as db:
            store_row = ready_for_next(db, row)
            changed = brought(db, store_row) if store_row else {}
            written = store_row is not None and move_on(db, row, **changed)
            if written:
                note_success(db, row.store_id, self._means.now())
        if written:
            count_written(row, changed)
        return written

    def _come_back(self, row: BackfillRow, wait: Wait) -> bool:
        waits = round(wait.seconds * SECOND)
        column = "throttled_us" if wait.throttled else "waited_us"
        changed: dict[str, Any] = {column: getattr(row, column) + waits}
        moved = self._move(row, next_step_at=self._means.now() + waits, **changed)
        if moved:
            count_wait(waits / SECOND, throttled=wait.throttled)
        return moved

    def _fault(self, row: BackfillRow, error: CratewireError) -> bool:
        self._trouble = str(error)
        now, found = self._means.now(), judge(error, row.attempts + 1, self._means.rng)
        changed: dict[str, Any] = {"attempts": row.attempts + 1, "error": str(error)}
        changed |= {"next_step_at": now + found.rest} if found.rest is not None else {"state": FAILED, "ended_at": now}
        with writing(self._means.engine) as db:
            if found.refused_keys:
                note_api(db, row.store_id, str(error), now)
            return move_on(db, row, **changed)

    def _waits_for_hooks(self, row: BackfillRow) -> bool:
        with reading(self._means.engine) as db:
            return waits_for_hooks(db, row, self._means.now())

    def _store(self, row: BackfillRow) -> Listing:
        """The store's API, opened once: a task is short, and keys do not change every second."""
        if self._api is None:
            self._api = self._means.open_api(row.store_id)
        return self._api

    def _row(self) -> BackfillRow | None:
        with reading(self._means.engine) as db:
            return get_backfill(db, self._id)

    def _move(self, row: BackfillRow, **changed: Any) -> bool:
        with writing(self._means.engine) as db:
            return move_on(db, row, **changed)
