"""Runs a backfill: reads a page, writes it and the position of the next one in one transaction, and goes on.

Nothing in this module waits. When the request budget is used up, or a request has failed, the row says when the next
step is due. A lease keeps two workers from reading the same page; `advance_backfill` alone makes sure that nothing is
written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from sqlalchemy import Connection

from pipeline.backfill.pages import (
    FetchedPage,
    build_count_changes,
    lock_for_write,
    next_to_count,
    write_others,
    write_page,
)
from pipeline.backfill.phases import COUNTING, CUSTOMERS, OTHERS, PAGE_SIZE, build_page_query
from pipeline.backfill.schedule import is_waiting_for_hooks
from pipeline.context import Context
from pipeline.core.backoff import full_jitter
from pipeline.core.errors import BadCredentials, BrokenPage, CratewireError, RateLimited, ServerFault, Unreachable
from pipeline.cratejoy.factory import open_store_client
from pipeline.cratejoy.pagination import Page
from pipeline.infra import metrics, redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.backfills import FAILED, RUNNING, BackfillRow, advance_backfill, get_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import record_api_success, record_key_check
from pipeline.recording.snapshot import RecordingStore

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
MAX_RUN_US = 3 * SECOND_US  # of one task: then the worker takes up other tasks
LEASE_MS = 1_000  # how long a killed worker blocks its backfill; a living worker renews the lease
HOOKS_CHECK_INTERVAL_US = SECOND_US
MAX_ATTEMPTS = 5  # of a request that the store refuses
MAX_BROKEN_PAGE_ATTEMPTS = 10  # of a request whose response is no page
_PROFILE_PHASES = (CUSTOMERS, OTHERS)  # the other collections only add to the profiles that these phases send


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
class RetryDecision:
    """How many µs to wait before the same page is requested again; None: never."""

    delay_us: int | None
    are_keys_refused: bool = False


@dataclass(frozen=True, slots=True)
class StepResult:
    """How far a task came. `resume_at` (µs): when the next step is due; None: this task does not plan it.

    `error`: why the store's API failed.
    """

    pages: int
    resume_at: int | None
    store_id: int | None = None
    error: str | None = None


def run_steps(
    context: Context, backfill_id: int, planned_at: int, *, open_api: OpenAPI = open_store_client
) -> StepResult:
    """Take steps until the time is up or a step has to wait.

    `planned_at`: the row's `next_step_at` as the caller knows it; if it has changed, another task has taken the step.
    Raises redis.RedisError or SQLAlchemyError if one of our servers does not answer; a sweep plans the step again.
    """
    lease = Lease(context.redis, redis_keys.backfill_lease(backfill_id), context.make_nonce(), LEASE_MS)
    with lease.hold() as is_held:
        return _BackfillRun(context, backfill_id, open_api).run(planned_at) if is_held else StepResult(0, None)


def decide_retry(error: CratewireError, attempts: int, rng: Random) -> RetryDecision:
    """What to do after the `attempts`-th failure in a row.

    A store that does not answer will answer again, and keys may be refused by mistake: both are tried for as long as it
    takes. A request that the store refuses, or answers with no page, is given up after some attempts.
    """
    if isinstance(error, BadCredentials):
        return RetryDecision(HOUR_US, are_keys_refused=True)
    retry_after = error.retry_after if isinstance(error, ServerFault) else None
    delay_us = round(max(full_jitter(attempts, rng), retry_after or 0) * SECOND_US)
    if isinstance(error, BrokenPage):
        return RetryDecision(delay_us if attempts < MAX_BROKEN_PAGE_ATTEMPTS else None)
    if isinstance(error, Unreachable) or attempts < MAX_ATTEMPTS:
        return RetryDecision(delay_us)
    return RetryDecision(None)


class _BackfillRun:
    """One task's share of a backfill."""

    def __init__(self, context: Context, backfill_id: int, open_api: OpenAPI) -> None:
        self._context = context
        self._open_api = open_api
        self._id = backfill_id
        self._api: PageReader | None = None
        self._error: str | None = None

    def run(self, planned_at: int) -> StepResult:
        first = self._load_row()
        if first is None or first.next_step_at != planned_at:
            return StepResult(0, None)
        row, until, is_ours = first, self._context.now() + MAX_RUN_US, True
        while is_ours and row.state == RUNNING and row.next_step_at <= self._context.now() < until:
            is_ours = self._step(row)
            if is_ours:
                row = self._load_row() or row
        resume_at = row.next_step_at if is_ours and row.state == RUNNING else None
        return StepResult(row.pages - first.pages, resume_at, row.store_id, self._error)

    def _step(self, row: BackfillRow) -> bool:
        """Read one page, or write when to come back. Return False if the row has changed: another task goes on."""
        if self._is_waiting_for_hooks(row):
            return self._update_row(row, next_step_at=self._context.now() + HOOKS_CHECK_INTERVAL_US)
        try:
            if row.phase == OTHERS:
                return self._write_others(row)
            return self._count(row) if row.phase == COUNTING else self._read_page(row)
        except RateLimited as wait:
            return self._postpone(row, wait)
        except CratewireError as error:
            return self._handle_error(row, error)

    def _count(self, row: BackfillRow) -> bool:
        resource = next_to_count(row)
        page = self._get_api(row).page(resource, limit=1)
        return self._update_row(row, **build_count_changes(row, resource, page.count, self._context.now()))

    def _read_page(self, row: BackfillRow) -> bool:
        query, asked_at = build_page_query(row), self._context.now()
        page = self._get_api(row).page(query.resource, query.filters, row.cursor, PAGE_SIZE, with_=query.relations)
        fetched, now = FetchedPage(query.resource, page, asked_at), self._context.now()
        return self._write(
            row, lambda conn, store: write_page(conn, row, store, fetched, now, self._context.settings.secret_keys)
        )

    def _write_others(self, row: BackfillRow) -> bool:
        now = self._context.now()
        return self._write(row, lambda conn, store: write_others(conn, row, store, now))

    def _write(self, row: BackfillRow, write: Callable[[Connection, RecordingStore], dict[str, Any]]) -> bool:
        """Write a step and the position of the next one in one transaction. It is counted once it is committed."""
        with writing(self._context.engine) as conn:
            store = lock_for_write(conn, row)
            changes = write(conn, store) if store else {}
            is_written = store is not None and advance_backfill(conn, row, **changes)
            if is_written:
                record_api_success(conn, row.store_id, self._context.now())
        if is_written:
            _count_written(row, changes)
        return is_written

    def _postpone(self, row: BackfillRow, wait: RateLimited) -> bool:
        wait_us = round(wait.seconds * SECOND_US)
        column = "throttled_us" if wait.throttled else "waited_us"
        changes: dict[str, Any] = {column: getattr(row, column) + wait_us}
        is_written = self._update_row(row, next_step_at=self._context.now() + wait_us, **changes)
        if is_written:
            cause = "throttled" if wait.throttled else "budget"
            metrics.BACKFILL_WAIT_SECONDS.labels(cause).inc(wait_us / SECOND_US)
        return is_written

    def _handle_error(self, row: BackfillRow, error: CratewireError) -> bool:
        self._error = str(error)
        now, decision = self._context.now(), decide_retry(error, row.attempts + 1, self._context.rng)
        changes: dict[str, Any] = {"attempts": row.attempts + 1, "error": str(error)}
        if decision.delay_us is None:
            changes |= {"state": FAILED, "ended_at": now}
        else:
            changes |= {"next_step_at": now + decision.delay_us}
        with writing(self._context.engine) as conn:
            if decision.are_keys_refused:
                record_key_check(conn, row.store_id, str(error), now)
            return advance_backfill(conn, row, **changes)

    def _is_waiting_for_hooks(self, row: BackfillRow) -> bool:
        with reading(self._context.engine) as conn:
            return is_waiting_for_hooks(conn, row, self._context.now())

    def _get_api(self, row: BackfillRow) -> PageReader:
        """The store's API, opened once: a task is short, and keys change rarely."""
        if self._api is None:
            self._api = self._open_api(self._context, row.store_id)
        return self._api

    def _load_row(self) -> BackfillRow | None:
        with reading(self._context.engine) as conn:
            return get_backfill(conn, self._id)

    def _update_row(self, row: BackfillRow, **changes: Any) -> bool:
        with writing(self._context.engine) as conn:
            return advance_backfill(conn, row, **changes)


def _count_written(before: BackfillRow, changes: Mapping[str, Any]) -> None:
    """Count what a committed step has added to the row `before`, so that no attempt counts twice."""
    done = changes.get("done", before.done)
    metrics.BACKFILL_PAGES.inc(changes.get("pages", before.pages) - before.pages)
    metrics.BACKFILL_PEOPLE.inc(sum(done.get(name, 0) - before.done.get(name, 0) for name in _PROFILE_PHASES))
