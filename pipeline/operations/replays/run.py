"""One worker's turn at a replay: it counts, sends or takes back some slices, and leaves the rest to the next turn.

All state is in the ledger, and every slice is one transaction. So a worker that is killed leaves nothing half done, and
the next turn, of any worker, goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.inbox import stream
from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.engine import writing
from pipeline.ledger.replays import (
    COUNTING,
    DONE,
    STOPPED,
    STOPPING,
    ReplayRow,
    ReplayState,
    find_replay,
    update_replay,
)
from pipeline.operations.replays.count import count_some
from pipeline.operations.replays.send import SLICE, has_items, send_hooks, send_messages, settle_items, take_back
from pipeline.processing.failure_limit import get_chain_stop

MAX_TURN_US = 2_000_000  # then the worker takes up other tasks
LEASE_MS = 2_000  # how long a killed worker blocks its replay; a living worker renews the lease


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn has done. `state` is None if another worker has the replay, or if it is gone."""

    state: ReplayState | None = None
    slices: int = 0


def run_replay(context: Context, replay_id: int) -> Turn:
    """Work at a replay until nothing can be done now, it has ended, or the turn is over.

    Raises redis.RedisError or SQLAlchemyError if one of our servers does not answer; a sweep starts it again.
    """
    lease = Lease(context.redis, redis_keys.replay_lease(replay_id), context.make_nonce(), LEASE_MS)
    with lease.hold() as is_held:
        return _run(context, replay_id) if is_held else Turn()


def _run(context: Context, replay_id: int) -> Turn:
    until, slices = context.now() + MAX_TURN_US, 0
    while True:
        with writing(context.engine) as conn:
            row = find_replay(conn, replay_id, locked=True)
            if row is None or not row.is_working:
                return Turn(row.state if row else None, slices)
            goes_on = _take_slice(context, conn, row)
        slices += 1
        if not goes_on or context.now() >= until:
            return Turn(row.state, slices)


def _take_slice(context: Context, conn: Connection, row: ReplayRow) -> bool:
    """Do one slice of what its state asks for. Returns whether there may be more to do at once."""
    if row.state == COUNTING:
        count_some(conn, row, context.now())
        return True
    settle_items(conn, row)
    row = find_replay(conn, row.id) or row
    if row.state == STOPPING:
        return _stop(conn, row, context.now())
    return _send(context, conn, row)


def _send(context: Context, conn: Connection, row: ReplayRow) -> bool:
    taken = send_messages(conn, row, context.now())
    if taken == 0:
        row = find_replay(conn, row.id) or row
        taken = send_hooks(conn, context.redis, row, _find_room(context))
    if taken == 0 and not has_items(conn, row.id, "planned", "open"):
        update_replay(conn, row, state=DONE, ended_at=context.now())
        return False
    return taken > 0


def _stop(conn: Connection, row: ReplayRow, now: int) -> bool:
    """Take back what has not left. It has ended when nothing is being sent any more."""
    take_back(conn, row)
    if not has_items(conn, row.id, "open"):
        update_replay(conn, row, state=STOPPED, ended_at=now)
    return False


def _find_room(context: Context) -> int:
    """How many hooks may go into the inbox: none while live hooks fill it, or while the chain is stopped."""
    if get_chain_stop(context.redis) or stream.depth(context.redis) >= context.settings.batch:
        return 0
    return SLICE
