"""Takes a store's due look-ups one after another: one request, then one transaction that records the answer.

Nothing in this module waits. Hooks come first: look-ups that a hook caused go before those of a backfill, and both keep
to the budget of requests that all processes share for the store. A lease keeps two workers from asking the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pipeline.backfill.run import decide_retry
from pipeline.context import Context
from pipeline.core.errors import BadResponse, CratewireError, RateLimited, RequestRefused
from pipeline.cratejoy.factory import open_store_client
from pipeline.infra import metrics, redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.lookups import LookupRow, find_due_lookup, has_gift, postpone_lookups, update_lookup
from pipeline.ledger.store_apis import record_api_success, record_key_check
from pipeline.lookups.ask import Answer, LookupAPI, ask, read_trail
from pipeline.lookups.record import Recorded, record_answer
from pipeline.recording.lookups import FAILED, GIFT_KINDS

SECOND_US = 1_000_000
MAX_RUN_US = 3 * SECOND_US  # of one task: then the worker takes up other tasks
LEASE_MS = 1_000  # how long a killed worker blocks its store; a living worker renews the lease

OpenAPI = Callable[[Context, LookupRow], LookupAPI]  # the API of a look-up's store


@dataclass(frozen=True, slots=True)
class LookupRun:
    """How far a task came. `resume_in_s`: after how many seconds to go on; None: nothing is due.

    `error`: why the store's API failed.
    """

    answers: int = 0
    resume_in_s: float | None = None
    error: str | None = None


def open_api_for(context: Context, row: LookupRow) -> LookupAPI:
    """The API of a look-up's store. What a hook lacks is asked for before a store is read as a whole."""
    return open_store_client(context, row.store_id, urgent=row.is_live)


def run_lookups(context: Context, store_id: int, *, open_api: OpenAPI = open_api_for) -> LookupRun:
    """Take due look-ups until none is left, the budget is used up, a request fails or the time is up.

    Raises redis.RedisError or SQLAlchemyError if one of our servers does not answer; a sweep starts the store again.
    """
    lease = Lease(context.redis, redis_keys.lookups_lease(store_id), context.make_nonce(), LEASE_MS)
    with lease.hold() as is_held:
        return _run(context, store_id, open_api) if is_held else LookupRun()


def _run(context: Context, store_id: int, open_api: OpenAPI) -> LookupRun:
    apis: dict[bool, LookupAPI] = {}
    answers, until = 0, context.now() + MAX_RUN_US
    while (row := _find_due(context, store_id)) is not None:
        if context.now() >= until:
            return LookupRun(answers, 0.0)
        try:
            if row.is_live not in apis:
                apis[row.is_live] = open_api(context, row)
            _take(context, apis[row.is_live], row)
        except RateLimited as wait:
            return LookupRun(answers, wait.seconds)
        except CratewireError as error:
            _record_failure(context, row, error)
            if not isinstance(error, RequestRefused):  # the store is in trouble, not this object
                return LookupRun(answers, error=str(error))
        else:
            answers += 1
    return LookupRun(answers)


def _find_due(context: Context, store_id: int) -> LookupRow | None:
    with reading(context.engine) as conn:
        return find_due_lookup(conn, store_id, context.now())


def _take(context: Context, api: LookupAPI, row: LookupRow) -> None:
    asked_at = context.now()
    answer = Answer("", trail=row.trail) if _is_recipient_known(context, row) else ask(api, row)
    with writing(context.engine) as conn:
        ended = record_answer(conn, row, answer, Recorded(asked_at, context.now(), context.settings.secret_keys))
        record_api_success(conn, row.store_id, context.now())
    for kind, state in ended:
        metrics.LOOKUPS.labels(kind, state).inc()


def _is_recipient_known(context: Context, row: LookupRow) -> bool:
    """Whether a hook has named the recipient of a gift since the look-up was planned."""
    if row.kind not in GIFT_KINDS.values():
        return False
    with reading(context.engine) as conn:
        return has_gift(conn, row.store_id, read_trail(row.trail))


def _record_failure(context: Context, row: LookupRow, error: CratewireError) -> None:
    """Try again later, as a backfill does. A store that does not answer is asked for nothing else meanwhile."""
    now, attempts = context.now(), row.attempts + 1
    decision = decide_retry(error, attempts, context.rng)
    change = partial(update_lookup, row=row, attempts=attempts, reason=str(error))
    with writing(context.engine) as conn:
        if decision.are_keys_refused:
            record_key_check(conn, row.store_id, str(error), now)
        if decision.delay_us is None:
            change(conn, state=FAILED)
        else:
            change(conn, next_attempt_at=now + decision.delay_us)
            if not isinstance(error, RequestRefused | BadResponse):
                postpone_lookups(conn, row.store_id, now + decision.delay_us)
    if decision.delay_us is None:
        metrics.LOOKUPS.labels(row.kind, FAILED).inc()
