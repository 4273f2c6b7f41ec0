"""Takes a backfill's steps: reads a page, writes it and the place of the next one in one transaction, goes on.

Nothing here waits. When the budget of requests is used up, or something failed, the row says when to come back. A
lease keeps two workers from reading the same page; that nothing is written twice is seen to by `move_on` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from pipeline.backfill.faults import decide_retry
from pipeline.backfill.hooks_first import is_waiting_for_hooks
from pipeline.backfill.metrics import count_wait, count_written
from pipeline.backfill.pages import (
    FetchedPage,
    build_count_changes,
    lock_for_write,
    next_to_count,
    write_others,
    write_page,
)
from pipeline.backfill.phases import COUNTING, OTHERS, PAGE_SIZE, build_page_query
from pipeline.context import Context
from pipeline.core.errors import CratewireError, RateLimited
from pipeline.cratejoy.factory import open_store_client
from pipeline.cratejoy.parsing import Page
from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.backfills import FAILED, RUNNING, BackfillRow, advance_backfill, get_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import record_api_success, record_key_check
from pipeline.recording.snapshot import RecordingStore

SECOND_US = 1_000_000
MAX_RUN_US = 3 * SECOND_US  # how long one task goes on before it lets others at the worker
LEASE_MS = 1_000  # how long a killed worker's page rests; a living worker renews it
HOOKS_CHECK_INTERVAL_US = SECOND_US


class PageReader(Protocol):
    """The part of a store's API that a backfill reads."""

    def page(
        self,
        resource: str,
        filters: Mapping[str, str] | None = None,
        next_: str | None = None,
        limit: int = 100,
        *,
        with_: Any = (),
    ) -> Page: ...


OpenAPI = Callable[[Context, int], PageReader]  # the API of a store, by the store's id


@dataclass(frozen=True, slots=True)
class StepResult:
    """How far a task came. `again_at` (µs): when the next step is to be taken; None: not by us. `trouble`: what the
    store's API had against it.
    """

    pages: int
    resume_at: int | None
    store_id: int | None = None
    trouble: str | None = None


def run_steps(
    context: Context, backfill_id: int, planned_at: int, *, open_api: OpenAPI = open_store_client
) -> StepResult:
    """Go on until time is up, or something has to be waited for.

    `planned_at`: the row's `next_step_at` as the caller knows it. If it has changed, somebody else has been here.
    Raises redis.RedisError or SQLAlchemyError if one of ours is away; the sweep comes back then.
    """
    lease = Lease(context.redis, redis_keys.backfill_lease(backfill_id), context.make_nonce(), LEASE_MS)
    with lease.hold() as is_held:
        return _BackfillRun(context, backfill_id, open_api).take(planned_at) if is_held else StepResult(0, None)


class _BackfillRun:
    """One task's time at one backfill."""

    def __init__(self, context: Context, backfill_id: int, open_api: OpenAPI) -> None:
        self._context = context
        self._open_api = open_api
        self._id = backfill_id
        self._api: PageReader | None = None
        self._error: str | None = None

    def take(self, planned_at: int) -> StepResult:
        first = self._row()
        if first is None or first.next_step_at != planned_at:
            return StepResult(0, None)
        row, until, ours = first, self._context.now() + MAX_RUN_US, True
        while ours and row.state == RUNNING and row.next_step_at <= self._context.now() < until:
            ours = self._step(row)
            if ours:  # else it was stopped, or somebody else goes on
                row = self._row() or row
        again_at = row.next_step_at if ours and row.state == RUNNING else None
        return StepResult(row.pages - first.pages, again_at, row.store_id, self._error)

    def _step(self, row: BackfillRow) -> bool:
        """One page, or a note of when to come back. False: the row is not ours to go on with."""
        if self._waits_for_hooks(row):
            return self._update_row(row, next_step_at=self._context.now() + HOOKS_CHECK_INTERVAL_US)
        try:
            if row.phase == OTHERS:
                return self._write_others(row)
            return self._count(row) if row.phase == COUNTING else self._read_page(row)
        except RateLimited as wait:
            return self._schedule_next(row, wait)
        except CratewireError as error:
            return self._handle_error(row, error)

    def _count(self, row: BackfillRow) -> bool:
        resource = next_to_count(row)
        page = self._store(row).page(resource, limit=1)
        return self._update_row(row, **build_count_changes(row, resource, page.count, self._context.now()))

    def _read_page(self, row: BackfillRow) -> bool:
        question, asked_at = build_page_query(row), self._context.now()
        store = self._store(row)
        page = store.page(question.resource, question.filters, row.cursor, PAGE_SIZE, with_=question.relations)
        read = FetchedPage(question.resource, page, asked_at)
        now = self._context.now()
        return self._write(row, lambda db, store_row: write_page(db, row, store_row, read, now))

    def _write_others(self, row: BackfillRow) -> bool:
        now = self._context.now()
        return self._write(row, lambda db, store_row: write_others(db, row, store_row, now))

    def _write(self, row: BackfillRow, brought: Callable[[Connection, RecordingStore], dict[str, Any]]) -> bool:
        """What a step has brought, and the place of the next one, in one transaction; counted once it is committed."""
        with writing(self._context.engine) as db:
            store_row = lock_for_write(db, row)
            changed = brought(db, store_row) if store_row else {}
            written = store_row is not None and advance_backfill(db, row, **changed)
            if written:
                record_api_success(db, row.store_id, self._context.now())
        if written:
            count_written(row, changed)
        return written

    def _schedule_next(self, row: BackfillRow, wait: RateLimited) -> bool:
        waits = round(wait.seconds * SECOND_US)
        column = "throttled_us" if wait.throttled else "waited_us"
        changed: dict[str, Any] = {column: getattr(row, column) + waits}
        moved = self._update_row(row, next_step_at=self._context.now() + waits, **changed)
        if moved:
            count_wait(waits / SECOND_US, throttled=wait.throttled)
        return moved

    def _handle_error(self, row: BackfillRow, error: CratewireError) -> bool:
        self._error = str(error)
        now, found = self._context.now(), decide_retry(error, row.attempts + 1, self._context.rng)
        changed: dict[str, Any] = {"attempts": row.attempts + 1, "error": str(error)}
        changed |= {"next_step_at": now + found.rest} if found.rest is not None else {"state": FAILED, "ended_at": now}
        with writing(self._context.engine) as db:
            if found.are_keys_refused:
                record_key_check(db, row.store_id, str(error), now)
            return advance_backfill(db, row, **changed)

    def _waits_for_hooks(self, row: BackfillRow) -> bool:
        with reading(self._context.engine) as db:
            return is_waiting_for_hooks(db, row, self._context.now())

    def _store(self, row: BackfillRow) -> PageReader:
        """The store's API, opened once: a task is short, and keys do not change every second."""
        if self._api is None:
            self._api = self._open_api(self._context, row.store_id)
        return self._api

    def _row(self) -> BackfillRow | None:
        with reading(self._context.engine) as db:
            return get_backfill(db, self._id)

    def _update_row(self, row: BackfillRow, **changed: Any) -> bool:
        with writing(self._context.engine) as db:
            return advance_backfill(db, row, **changed)
