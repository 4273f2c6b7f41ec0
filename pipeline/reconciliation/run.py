"""Compares a store's API with the ledger: all collections, a page at a time, while the request budget lasts.

A run never waits: when the budget is used up it ends and says when to come back. The position in each collection is in
the ledger, so that after a killed worker one page is read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from redis import Redis

from pipeline.context import Context
from pipeline.core.errors import (
    BadCredentials,
    BadResponse,
    CratewireError,
    RateLimited,
    RequestRefused,
    ServerFault,
    StaleFence,
)
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.factory import open_store_client
from pipeline.inbox import stream
from pipeline.infra import metrics, redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.observation import COUNTED_STATES, MISSED
from pipeline.ledger.reconciliations import (
    ReconciliationRow,
    load_reconciliations,
    postpone_store,
    update_reconciliation,
)
from pipeline.ledger.store_apis import record_api_success, record_key_check
from pipeline.reconciliation.collections import COLLECTIONS
from pipeline.reconciliation.page import SECOND_US, PageStep

MAX_RUN_US = 20 * SECOND_US
RETRY_AFTER_FAILURE_US = 300 * SECOND_US
MAX_INBOX_AGE_US = 60 * SECOND_US  # if a hook has waited longer, the ledger lacks events that have arrived
LEASE_MS = 30_000

OpenAPI = Callable[[Context, int], CratejoyClient]  # the API of a store, by the store's id


@dataclass(frozen=True, slots=True)
class ReconciliationResult:
    """How far a run came. `wait`: in how many seconds to go on, and `reason`: what it waits for.

    connections: those that now have deliveries to send. errors: collection -> why it could not be read.
    """

    done: bool
    wait: float = 0.0
    reason: str = ""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # (event, state) -> how many
    connections: frozenset[int] = frozenset()
    errors: Mapping[str, str] = field(default_factory=dict)


def is_inbox_behind(redis: Redis, now: int) -> bool:
    """Whether hooks have waited in the inbox for long: their events would look as if they were missing."""
    oldest = stream.get_oldest_received_at(redis)
    return oldest is not None and oldest < now - MAX_INBOX_AGE_US


def reconcile(context: Context, store_id: int, *, open_api: OpenAPI = open_store_client) -> ReconciliationResult:
    """Do one run. Errors of the API are written to the rows, with the time of the next try.

    Raises Misconfigured if the store is gone or has no keys.
    """
    if is_inbox_behind(context.redis, context.now()):
        return ReconciliationResult(done=False, wait=5.0, reason="hooks wait in the inbox, and come first")
    lease = Lease(context.redis, redis_keys.reconciliation_lease(store_id), context.make_nonce(), LEASE_MS)
    with lease.hold() as is_held:
        if not is_held:
            return ReconciliationResult(done=False, wait=1.0, reason="another process is comparing this store")
        return _Run(context, store_id, open_api(context, store_id)).run()


class _Run:
    """One run over one store."""

    def __init__(self, context: Context, store_id: int, api: CratejoyClient) -> None:
        self._context = context
        self._store_id = store_id
        self._api = api
        self._until = context.now() + MAX_RUN_US
        self._counts: Counter[tuple[str, str]] = Counter()
        self._connections: set[int] = set()
        self._errors: dict[str, str] = {}

    def run(self) -> ReconciliationResult:
        while (row := self._find_due_row()) is not None:
            if self._context.now() >= self._until:
                return self._build_result(done=False)
            try:
                self._read(row)
            except RateLimited as wait:
                self._postpone(round(wait.seconds * SECOND_US))
                return self._build_result(done=False, wait=wait.seconds, reason=wait.why)
            except StaleFence:
                continue  # the lease's previous holder has taken this step: load the row again
        return self._build_result(done=True)

    def _find_due_row(self) -> ReconciliationRow | None:
        """The first collection that is due."""
        with reading(self._context.engine) as conn:
            rows = {row.collection: row for row in load_reconciliations(conn, self._store_id)}
        due = (rows[name] for name in COLLECTIONS if name in rows and rows[name].next_at <= self._context.now())
        return next(due, None)

    def _read(self, row: ReconciliationRow) -> None:
        try:
            comparison = PageStep(self._context, self._api, row).take()
        except (RateLimited, StaleFence):
            raise
        except (RequestRefused, BadResponse) as error:  # this collection cannot be read; others may
            self._record_failure(row, error)
        except CratewireError as error:
            self._record_failure(row, error)
            retry_after = error.retry_after if isinstance(error, ServerFault) else None
            self._postpone(max(RETRY_AFTER_FAILURE_US, round((retry_after or 0) * SECOND_US)))
        else:
            if comparison.error:
                self._errors[row.collection] = comparison.error
            with writing(self._context.engine) as conn:
                record_api_success(conn, self._store_id, self._context.now())
            self._counts.update(comparison.counts)
            self._connections.update(comparison.recorded.connections if comparison.recorded else ())

    def _record_failure(self, row: ReconciliationRow, error: CratewireError) -> None:
        """End this pass over the collection. Its mark stays, so the next pass starts from there again."""
        now = self._context.now()
        self._errors[row.collection] = str(error)
        with writing(self._context.engine) as conn:
            update_reconciliation(
                conn, row, began_at=None, cursor=None, barren=0, error=str(error), next_at=now + RETRY_AFTER_FAILURE_US
            )
            if isinstance(error, BadCredentials):
                record_key_check(conn, self._store_id, str(error), now)

    def _postpone(self, delay_us: int) -> None:
        with writing(self._context.engine) as conn:
            postpone_store(conn, self._store_id, self._context.now() + delay_us)

    def _build_result(self, *, done: bool, wait: float = 0.0, reason: str = "") -> ReconciliationResult:
        connections = frozenset(self._connections)
        return ReconciliationResult(done, wait, reason, self._counts, connections, self._errors)


def count_run(result: ReconciliationResult) -> None:
    """Count for Prometheus what the API showed for the first time, and how much of it no hook had reported."""
    for (_, state), times in result.counts.items():
        if state in COUNTED_STATES:
            metrics.OBSERVED_EVENTS.inc(times)
        if state == MISSED:
            metrics.MISSED_HOOKS.inc(times)
