"""The tick: once a second it looks at what is due, and sends the sweeps that have something to do.

Each sweep for itself would be a message, a task and a transaction a second, of which an idle installation needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from redis import Redis
from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.inbox import stream
from pipeline.inbox.partitions import get_partition_count
from pipeline.infra import redis_keys
from pipeline.ledger.backfills import list_due_steps
from pipeline.ledger.connection_people import list_running as list_people_running
from pipeline.ledger.deliveries.due import list_due_lanes
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.work import list_due_work
from pipeline.ledger.lookups import list_due_stores as list_due_lookups
from pipeline.ledger.reconciliations import list_due_stores as list_due_reconciliations
from pipeline.ledger.rehearsals import list_open_rehearsals
from pipeline.ledger.removals import list_open_removals
from pipeline.ledger.replays import list_working
from pipeline.ledger.search_terms import is_search_filled
from pipeline.ledger.store_apis import list_due_audits
from pipeline.mail.outbox import has_due_mails
from tasks.app import app, task
from tasks.backfills import SWEEP_AHEAD_US
from tasks.config import WOKEN_SWEEPS, sweep_expiry_s
from tasks.fulfilment import find_due as find_due_fulfilments
from tasks.process import get_process_context
from tasks.worker.backpressure import is_stalled

ALL_INTERVAL_S = 30.0  # every sweep is sent as often, whatever is due: a look may overlook something
EARLY_S = 0.2  # a tick may come so much before a whole interval has passed

Look = Callable[[Context, Connection, int], object]  # at a time in µs; true if the sweep has something to do


@task("sweeps.tick")
def tick() -> None:
    """Send every sweep that has something to do. If that cannot be seen, send all, and fail."""
    context = get_process_context()
    try:
        due = find_due_sweeps(context)
    except Exception:
        send_sweeps(context.redis, WOKEN_SWEEPS)
        raise
    is_turn_of_all = _claim(context.redis, redis_keys.ALL_SWEEPS, ALL_INTERVAL_S)
    send_sweeps(context.redis, WOKEN_SWEEPS if is_turn_of_all else due)


def find_due_sweeps(context: Context) -> list[str]:
    """Return the sweeps that have something to do."""
    with reading(context.engine) as conn:
        now = context.now()
        return [name for name, look in LOOKS.items() if look(context, conn, now)]


def send_sweeps(redis: Redis, names: Iterable[str]) -> None:
    """Send these sweeps, each no more often than its interval, and none to a queue that no worker consumes."""
    for name in names:
        queue, every = WOKEN_SWEEPS[name]
        if not is_stalled(app, queue) and _claim(redis, redis_keys.sweep_sent(name), every):
            app.send_task(name, queue=queue, expires=sweep_expiry_s(every))


def _claim(redis: Redis, key: str, seconds: float) -> bool:
    """Return whether this is the first time within so many seconds."""
    claimed: Any = redis.set(key, 1, nx=True, px=round((seconds - EARLY_S) * 1_000))
    return bool(claimed)


LOOKS: dict[str, Look] = {
    "backfills.sweep": lambda _, conn, now: list_due_steps(conn, now + SWEEP_AHEAD_US),
    "deliveries.sweep": lambda _, conn, now: list_due_lanes(conn, now),
    "fulfilment.sweep": lambda context, conn, now: find_due_fulfilments(context, conn, now) or list_due_work(conn, now),
    "hooks.sweep": lambda context, *_: stream.depth(context.redis) or get_partition_count(context.redis).next,
    "lookups.sweep": lambda context, conn, now: (
        list_due_lookups(conn, now) or context.redis.exists(redis_keys.ASKED_EVENTS)
    ),
    "mails.sweep": lambda _, conn, now: has_due_mails(conn, now),
    "people.sweep": lambda _, conn, *__: list_people_running(conn),
    "rehearsals.sweep": lambda _, conn, *__: list_open_rehearsals(conn),
    "reconciliation.sweep": lambda _, conn, now: list_due_reconciliations(conn, now),
    "registration.sweep": lambda _, conn, now: list_due_audits(conn, now),
    "replays.sweep": lambda _, conn, *__: list_working(conn),
    "search.fill": lambda _, conn, *__: not is_search_filled(conn),
    "stores.sweep": lambda _, conn, now: any(row.next_at <= now for row in list_open_removals(conn)),
}
