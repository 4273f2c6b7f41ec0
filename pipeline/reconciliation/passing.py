"""A pass over a store: all of its collections, a page at a time, for as long as the store's budget of requests lets it.

It never waits: a run ends where the budget does and says when to come back. Where each collection stands is in the
ledger, so that a killed worker costs one page read again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from redis import Redis

from pipeline import keys
from pipeline.cratejoy.client import Cratejoy
from pipeline.errors import BadAnswer, BadCredentials, CratewireError, RequestRefused, ServerFault, StaleFence, Wait
from pipeline.inbox import stream
from pipeline.lanes.lease import Lease
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.reconciliations import ReconciliationRow, change, postpone, rows_of
from pipeline.ledger.store_apis import note_api, note_success
from pipeline.reconciliation.asking import COLLECTIONS
from pipeline.reconciliation.means import SECOND, Means
from pipeline.reconciliation.stepping import Step

RUN = 20 * SECOND  # how long one run goes on
AFTER_FAILURE = 300 * SECOND
BEHIND = 60 * SECOND  # hooks that have waited so long say that the ledger does not know all that was told
LEASE_MS = 30_000


@dataclass(frozen=True, slots=True)
class Passed:
    """How far a run came. `why`: what it waits for; `connections`: whose lanes have something to do now; `troubles`:
    the lists of the API that could not be read, and why.
    """

    done: bool
    wait: float = 0.0
    why: str = ""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # (event, state) -> how many
    connections: frozenset[int] = frozenset()
    troubles: Mapping[str, str] = field(default_factory=dict)


def is_behind(redis: Redis, now: int) -> bool:
    """Whether hooks wait in the inbox: what they tell would look as if it had been missed."""
    oldest = stream.oldest(redis)
    return oldest is not None and oldest < now - BEHIND


def reconcile(means: Means, store_id: int) -> Passed:
    """One run. What goes wrong with the API is written down, with the time of the next try; Misconfigured is raised."""
    if is_behind(means.redis, means.now()):
        return Passed(done=False, wait=5.0, why="hooks wait in the inbox, and come first")
    lease = Lease(means.redis, keys.reconciliation_lease(store_id), os.urandom(16).hex(), LEASE_MS)
    if not lease.acquire():
        return Passed(done=False, wait=1.0, why="somebody else is comparing this store")
    try:
        with lease.kept():
            return _Run(means, store_id).go()
    finally:
        lease.release()


class _Run:
    """One run over one store."""

    def __init__(self, means: Means, store_id: int) -> None:
        self._means = means
        self._store_id = store_id
        self._api: Cratejoy = means.open_api(store_id)
        self._until = means.now() + RUN
        self._counts: Counter[tuple[str, str]] = Counter()
        self._connections: set[int] = set()
        self._troubles: dict[str, str] = {}

    def go(self) -> Passed:
        while (row := self._next()) is not None:
            if self._means.now() >= self._until:
                return self._passed(done=False)
            try:
                self._take(row)
            except Wait as wait:
                self._come_back(round(wait.seconds * SECOND))
                return self._passed(done=False, wait=wait.seconds, why=wait.why)
            except StaleFence:
                continue  # whoever had the lease before has taken this step; go on from there
        return self._passed(done=True)

    def _next(self) -> ReconciliationRow | None:
        """The first collection that is due."""
        with reading(self._means.engine) as db:
            rows = {row.collection: row for row in rows_of(db, self._store_id)}
        due = (rows[name] for name in COLLECTIONS if name in rows and rows[name].next_at <= self._means.now())
        return next(due, None)

    def _take(self, row: ReconciliationRow) -> None:
        try:
            compared = Step(self._means, self._api, row).take()
        except (Wait, StaleFence):
            raise
        except (RequestRefused, BadAnswer) as error:  # this collection cannot be read; others may
            self._give_up(row, error)
        except CratewireError as error:
            self._give_up(row, error)
            told = error.retry_after if isinstance(error, ServerFault) else None
            self._come_back(max(AFTER_FAILURE, round((told or 0) * SECOND)))
        else:
            if compared.trouble:
                self._troubles[row.collection] = compared.trouble
            with writing(self._means.engine) as db:
                note_success(db, self._store_id, self._means.now())
            self._counts.update(compared.counts)
            self._connections.update(compared.recorded.connections if compared.recorded else ())

    def _give_up(self, row: ReconciliationRow, error: CratewireError) -> None:
        """This pass over the collection. The mark stays where it was, so the next begins there again."""
        now = self._means.now()
        self._troubles[row.collection] = str(error)
        with writing(self._means.engine) as db:
            change(db, row, began_at=None, cursor=None, barren=0, error=str(error), next_at=now + AFTER_FAILURE)
            if isinstance(error, BadCredentials):
                note_api(db, self._store_id, str(error), now)

    def _come_back(self, after: int) -> None:
        with writing(self._means.engine) as db:
            postpone(db, self._store_id, self._means.now() + after)

    def _passed(self, *, done: bool, wait: float = 0.0, why: str = "") -> Passed:
        found = Passed(done, wait, why, troubles=self._troubles)
        return replace(found, counts=self._counts, connections=frozenset(self._connections))
