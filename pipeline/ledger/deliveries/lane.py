"""Who holds a lane. Every holder gets a greater token; what an older one still wants to write is refused.

The lane's row is the lock: whoever claims or settles deliveries of a lane has locked that row first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from pipeline.errors import StaleFence
from pipeline.ledger.deliveries.words import OPEN, SENDING
from pipeline.ledger.tables import Delivery, Lane
from pipeline.ledger.upsert import insert_into

# What every send asks is made once: making a statement costs more than running it.
_HERE = Lane.connection_id == bindparam("of_connection"), Lane.lane == bindparam("of_lane")
_NEWEST = select(Lane.token).where(*_HERE).with_for_update()
_TOLD = Lane.token, Lane.next_attempt_at, Lane.attempts
_TAKE = update(Lane).where(*_HERE).values(token=Lane.token + 1, taken_at=bindparam("now")).returning(*_TOLD)
_BEGUN = Delivery.connection_id == bindparam("of_connection"), Delivery.lane == bindparam("of_lane"), OPEN, SENDING
_WAIT_AGAIN = update(Delivery).where(*_BEGUN).values(status="pending")
_COUNT = update(Lane).where(*_HERE).values(sent=Lane.sent + bindparam("more"))


@dataclass(frozen=True, slots=True)
class LaneTaken:
    """A lane in somebody's hands: the holder's token, when the lane may go (µs), its failures in a row."""

    connection_id: int
    lane: int
    token: int
    next_attempt_at: int
    attempts: int


def take_lane(conn: Connection, connection_id: int, lane: int, now: int, seen: int | None = None) -> LaneTaken:
    """Become the lane's holder. What earlier holders had begun to send becomes pending again.

    Raise StaleFence if `seen` was the newest token and somebody has taken the lane since.
    """
    wanted = {"of_connection": connection_id, "of_lane": lane, "now": now}
    row = conn.execute(_TAKE, wanted).one_or_none() or _take_first(conn, connection_id, lane, now)
    if seen is not None and row.token != seen + 1:
        raise StaleFence(f"lane {connection_id}/{lane}: token {seen} when it was looked at, newest {row.token - 1}")
    conn.execute(_WAIT_AGAIN, wanted)
    return LaneTaken(connection_id, lane, row.token, row.next_attempt_at, row.attempts)


def _take_first(conn: Connection, connection_id: int, lane: int, now: int) -> Row[int, int, int]:
    """Make the lane's row; somebody else may do so in the same moment."""
    first = insert_into(conn, Lane).values(connection_id=connection_id, lane=lane, token=1, taken_at=now)
    taken = {"token": Lane.token + 1, "taken_at": now}
    made = first.on_conflict_do_update(index_elements=[Lane.connection_id, Lane.lane], set_=taken)
    return conn.execute(made.returning(*_TOLD)).one()


def hold_lane(conn: Connection, taken: LaneTaken) -> None:
    """Lock the lane until the transaction ends. Raise StaleFence if somebody else has taken it since."""
    newest = conn.execute(_NEWEST, here(taken)).scalar()
    if newest != taken.token:
        raise StaleFence(f"lane {taken.connection_id}/{taken.lane}: token {taken.token}, newest {newest}")


def postpone_lane(conn: Connection, taken: LaneTaken, next_attempt_at: int, attempts: int, reason: str) -> None:
    """Let the lane rest until `next_attempt_at` (µs). `attempts` are its failures in a row."""
    hold_lane(conn, taken)
    changed = {"next_attempt_at": next_attempt_at, "attempts": attempts, "reason": reason}
    conn.execute(update(Lane).where(*_HERE).values(changed | _failing(attempts)), here(taken))


def clear_lane(conn: Connection, taken: LaneTaken) -> None:
    """Forget the lane's failures: something went through."""
    hold_lane(conn, taken)
    conn.execute(
        update(Lane).where(*_HERE).values(next_attempt_at=0, attempts=0, reason=None, failing_since=None), here(taken)
    )


def count_sent(conn: Connection, taken: LaneTaken, sent: int) -> None:
    """Add to the lane's total; the caller holds the lane."""
    conn.execute(_COUNT, {**here(taken), "more": sent})


def _failing(attempts: int) -> dict[str, Any]:
    """Since when there have been failures only: since the holder of the first one took the lane."""
    if attempts <= 1:
        return {"failing_since": Lane.taken_at if attempts else None}
    return {"failing_since": func.coalesce(Lane.failing_since, Lane.taken_at)}


def here(taken: LaneTaken) -> dict[str, Any]:
    """The lane, as the parameters of a statement."""
    return {"of_connection": taken.connection_id, "of_lane": taken.lane}
