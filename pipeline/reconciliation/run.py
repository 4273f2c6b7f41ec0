"""A pass over a store: all of its collections, a page at a time, for as long as the store's budget of requests lets it.

It never waits: a run ends where the budget does and says when to come back. Where each collection stands is in the
ledger, so that a killed worker costs one page read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

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
from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.reconciliations import (
    ReconciliationRow,
    load_reconciliations,
    postpone_store,
    update_reconciliation,
)
from pipeline.ledger.store_apis import record_api_success, record_key_check
from pipeline.reconciliation.collections import COLLECTIONS
from pipeline.reconciliation.page import SECOND_US, PageStep

MAX_RUN_US = 20 * SECOND_US  # how long one run goes on
RETRY_AFTER_FAILURE_US = 300 * SECOND_US
MAX_INBOX_AGE_US = 60 * SECOND_US  # hooks that have waited so long say that the ledger does not know all that was told
LEASE_MS = 30_000

OpenAPI = Callable[[Context, int], CratejoyClient]  # the API of a store, by the store's id


@dataclass(frozen=True, slots=True)
class ReconciliationResult:
    """How far a run came. `why`: what it waits for; `connections`: whose lanes have something to do now; `troubles`:
    the lists of the API that could not be read, and why.
    """

    done: bool
    wait: float = 0.0
    why: str = ""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # (event, state) -> how many
    connections: frozenset[int] = frozenset()
    errors: Mapping[str, str] = field(default_factory=dict)


def is_inbox_behind(redis: Redis, now: int) -> bool:
    """Whether hooks wait in the inbox: what they tell would look as if it had been missed."""
    oldest = stream.get_oldest_received_at(redis)
    return oldest is not None and oldest < now - MAX_INBOX_AGE_US


def reconcile(context: Context, store_id: int, *, open_api: OpenAPI = open_store_client) -> ReconciliationResult:
    """One run. What goes wrong with the API is written down, with the time of the next try; Misconfigured is raised."""
    if is_inbox_behind(context.redis, context.now()):
        return ReconciliationResult(done=False, wait=5.0, why="hooks wait in the inbox, and come first")
    lease = Lease(context.redis, redis_keys.reconciliation_lease(store_id), context.make_nonce(), LEASE_MS)
    with lease.hold() as is_held:
        if not is_held:
            return ReconciliationResult(done=False, wait=1.0, why="another process is comparing this store")
        return _Run(context, store_id, open_api(context, store_id)).go()


class _Run:
    """One run over one store."""

    def __init__(self, context: Context, store_id: int, api: CratejoyClient) -> None:
        self._context = context
        self._store_id = store_id
        self._api = api
        self._until = context.now() + MAX_RUN_US
        self._counts: Counter[tuple[str, str]] = Counter()
        self._connections: set[int] = set()
        self._troubles: dict[str, str] = {}

    def go(self) -> ReconciliationResult:
        while (row := self._next()) is not None:
            if self._context.now() >= self._until:
                return self._build_result(done=False)
            try:
                self._take(row)
            except RateLimited as wait:
                self._schedule_next(round(wait.seconds * SECOND_US))
                return self._build_result(done=False, wait=wait.seconds, why=wait.why)
            except StaleFence:
                continue  # whoever had the lease before has taken this step; go on from there
        return self._build_result(done=True)

    def _next(self) -> ReconciliationRow | None:
        """The first collection that is due."""
        with reading(self._context.engine) as db:
            rows = {row.collection: row for row in load_reconciliations(db, self._store_id)}
        due = (rows[name] for name in COLLECTIONS if name in rows and rows[name].next_at <= self._context.now())
        return next(due, None)

    def _take(self, row: ReconciliationRow) -> None:
        try:
            compared = PageStep(self._context, self._api, row).take()
        except (RateLimited, StaleFence):
            raise
        except (RequestRefused, BadResponse) as error:  # this collection cannot be read; others may
            self._record_failure(row, error)
        except CratewireError as error:
            self._record_failure(row, error)
            told = error.retry_after if isinstance(error, ServerFault) else None
            self._schedule_next(max(RETRY_AFTER_FAILURE_US, round((told or 0) * SECOND_US)))
        else:
            if compared.trouble:
                self._troubles[row.collection] = compared.trouble
            with writing(self._context.engine) as db:
                record_api_success(db, self._store_id, self._context.now())
            self._counts.update(compared.counts)
            self._connections.update(compared.recorded.connections if compared.recorded else ())

    def _record_failure(self, row: ReconciliationRow, error: CratewireError) -> None:
        """This pass over the collection. The mark stays where it was, so the next begins there again."""
        now = self._context.now()
        self._troubles[row.collection] = str(error)
        with writing(self._context.engine) as db:
            update_reconciliation(
                db, row, began_at=None, cursor=None, barren=0, error=str(error), next_at=now + RETRY_AFTER_FAILURE_US
            )
            if isinstance(error, BadCredentials):
                record_key_check(db, self._store_id, str(error), now)

    def _schedule_next(self, after: int) -> None:
        with writing(self._context.engine) as db:
            postpone_store(db, self._store_id, self._context.now() + after)

    def _build_result(self, *, done: bool, wait: float = 0.0, why: str = "") -> ReconciliationResult:
        found = ReconciliationResult(done, wait, why, errors=self._troubles)
        return replace(found, counts=self._counts, connections=frozenset(self._connections))
