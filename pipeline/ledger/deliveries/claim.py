"""Claims the oldest pending deliveries of lanes, in order, as messages for a destination; changes their priority.

A claim changes no delivery: it takes the lane, and notes in the lane's row how far it goes. So each message is written
once, when it has an outcome, and the claims of several lanes cost as many statements as that of one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, Row, Select, Update, bindparam, case, exists, func, select, update

from pipeline.core.errors import StaleFence
from pipeline.core.messages import LIVE_PRIORITY, Message, PersonRef
from pipeline.ledger.deliveries.lanes import HeldLane, LaneId, lock_lanes, make_pending_again
from pipeline.ledger.deliveries.status import IS_BACKFILL, OPEN, PENDING, SENDING
from pipeline.ledger.deliveries.withhold import stop_withheld
from pipeline.ledger.schema.core import Delivery, Lane, Person, ProfileSent, StoreConnection
from pipeline.ledger.sql.tables import build_given_rows, get_given, insert_into

_COLUMNS = (
    *(Delivery.id, Delivery.connection_id, Delivery.lane, Delivery.person_id, Delivery.kind, Delivery.name),
    *(Delivery.message_id, Delivery.message, Delivery.created_at, Delivery.event_id),
)

_HAS_BEGUN = -1  # in the place of the last id: a holder of an earlier version had begun to send


@dataclass(frozen=True, slots=True)
class LaneClaim:
    """Claim so many of a lane's messages of one priority. `token`: the lane's newest one, as it was read or taken.

    is_held: the lane was taken with this token; otherwise it is taken together with the claim.
    """

    connection_id: int
    lane: int
    token: int
    is_held: bool
    limit: int
    priority: int = LIVE_PRIORITY


@dataclass(slots=True)
class Claims:
    """What was claimed. Lanes of paused connections are in neither."""

    messages: dict[LaneId, list[Message]] = field(default_factory=dict)  # those that may leave, oldest first
    held: dict[LaneId, HeldLane] = field(default_factory=dict)
    full: set[LaneId] = field(default_factory=set)  # as many were claimed as was asked for: there may be more
    lost: set[LaneId] = field(default_factory=set)  # another holder has taken them


def claim_lanes(conn: Connection, wanted: Collection[LaneClaim], now: int) -> Claims:
    """Claim messages of several lanes, of which none is named twice; messages about withheld people are stopped.

    The last check before the call: a message may have been replayed, or retried, since its person is withheld. A
    claimed delivery counts as being sent until it is settled or the lane is acquired anew.
    """
    claims = Claims()
    _insert_new_lanes(conn, wanted)
    if len(wanted) > 1 and conn.dialect.name == "postgresql":  # SQLite's transaction is alone
        lock_lanes(conn, [(one.connection_id, one.lane) for one in wanted])
    by_limit: defaultdict[int, list[LaneClaim]] = defaultdict(list)
    for one in wanted:
        by_limit[one.limit].append(one)
    for limit, same in by_limit.items():
        rows = _take(conn, same, limit, now)
        claims.held |= {(row.connection_id, row.lane): _build_held(row) for row in rows}
        _read_messages(conn, claims, same, rows, now)
    missing = [one for one in wanted if (one.connection_id, one.lane) not in claims.held]
    claims.lost = _find_lost(conn, missing)
    return claims


def claim(conn: Connection, held: HeldLane, limit: int, priority: int = LIVE_PRIORITY, now: int = 0) -> list[Message]:
    """Up to `limit` messages of one priority, oldest first; none while the connection is paused.

    Raise StaleFence if the lane has a newer holder.
    """
    claims = claim_lanes(conn, [LaneClaim(*held.id, held.token, is_held=True, limit=limit, priority=priority)], now)
    if claims.lost:
        raise StaleFence(f"lane {held.connection_id}/{held.lane}: token {held.token} is not the newest")
    return claims.messages.get(held.id, [])


def promote_to_live(conn: Connection, people: Collection[int]) -> None:
    """Give the open backfill deliveries of these people live priority. The caller has a live event of each of them.

    Lanes are locked in the order of their keys, before deliveries, as claiming and settling do: no deadlock.
    """
    columns = Delivery.id, Delivery.connection_id, Delivery.lane
    found = conn.execute(select(*columns).where(Delivery.person_id.in_(people), OPEN, IS_BACKFILL)).all()
    if not found:
        return
    lock_lanes(conn, {(row.connection_id, row.lane) for row in found})
    conn.execute(
        update(Delivery).where(Delivery.id.in_([row.id for row in found]), OPEN).values(priority=LIVE_PRIORITY)
    )


def _insert_new_lanes(conn: Connection, wanted: Iterable[LaneClaim]) -> None:
    """Insert the rows of lanes that never had a holder; another process may do so at the same time."""
    new = sorted((one.connection_id, one.lane) for one in wanted if one.token == 0)
    if new:
        rows = [{"connection_id": connection_id, "lane": lane, "token": 0} for connection_id, lane in new]
        conn.execute(insert_into(conn, Lane).on_conflict_do_nothing(), rows)


def _take(conn: Connection, wanted: Sequence[LaneClaim], limit: int, now: int) -> list[Row[Any]]:
    """Take the lanes whose tokens are still the newest, and note how far the claim goes."""
    statement = _build_take(conn.dialect.name)
    given = [[one.connection_id, one.lane, one.token, int(not one.is_held), one.priority] for one in wanted]
    rows = list(conn.execute(statement, {"wanted": given, "most": limit, "now": now}))
    begun = {(row.connection_id, row.lane): row.token for row in rows if row.claimed_to == _HAS_BEGUN}
    if begun:  # what a holder of an earlier version has begun to send is the oldest
        for lane_id in begun:
            make_pending_again(conn, lane_id)
        priorities = _list_priorities(wanted)
        again = [[*lane_id, token, 0, priorities[lane_id]] for lane_id, token in begun.items()]
        rows = [row for row in rows if row.claimed_to != _HAS_BEGUN]
        rows += conn.execute(statement, {"wanted": again, "most": limit, "now": now})
    return rows


def _read_messages(
    conn: Connection, claims: Claims, wanted: Sequence[LaneClaim], rows: Sequence[Row[Any]], now: int
) -> None:
    priorities = _list_priorities(wanted)
    claimed = [
        [row.connection_id, row.lane, priorities[row.connection_id, row.lane], row.claimed_to]
        for row in rows
        if row.claimed_to is not None
    ]
    if not claimed:
        return
    withheld: dict[int, str] = {}
    count: Counter[LaneId] = Counter()
    for row in conn.execute(_build_read(conn.dialect.name), {"claimed": claimed}):
        count[row.connection_id, row.lane] += 1
        if row.withheld is not None and row.kind != "forget":
            withheld[row.id] = row.withheld
        else:
            claims.messages.setdefault((row.connection_id, row.lane), []).append(_build_message(row))
    stop_withheld(conn, withheld, now)
    claims.full |= {lane for lane, messages in count.items() if messages >= wanted[0].limit}


def _list_priorities(wanted: Iterable[LaneClaim]) -> dict[LaneId, int]:
    return {(one.connection_id, one.lane): one.priority for one in wanted}


def _find_lost(conn: Connection, missing: Sequence[LaneClaim]) -> set[LaneId]:
    """Those whose token is not the newest. The others' connections are paused."""
    if not missing:
        return set()
    newest = lock_lanes(conn, [(one.connection_id, one.lane) for one in missing])
    return {(one.connection_id, one.lane) for one in missing if newest.get((one.connection_id, one.lane)) != one.token}


def _build_held(row: Row[Any]) -> HeldLane:
    return HeldLane(row.connection_id, row.lane, row.token, row.next_attempt_at, row.attempts)


def _build_message(row: Row[Any]) -> Message:
    payload: Mapping[str, Any] = row.message
    return Message(
        delivery_id=row.id,
        person=PersonRef(row.person_id, payload["customer_id"], payload["email"]),
        kind=row.kind,
        at=payload["at"],
        data=payload["data"],
        name=row.name,
        message_id=row.message_id,
        has_profile=row.has_profile,
        written_at=row.created_at,
        event_id=row.event_id,
    )


# Built once for each database: building a statement costs more than running it.
@cache
def _build_take(dialect: str) -> Update:
    wanted = build_given_rows(dialect, "wanted")
    columns = (Lane.connection_id, Lane.lane, Lane.token, Lane.token, Lane.claimed_priority)
    connection_id, lane, token, step, priority = (
        get_given(wanted, place, column) for place, column in enumerate(columns)
    )
    in_lane = Delivery.connection_id == Lane.connection_id, Delivery.lane == Lane.lane, OPEN
    oldest = select(Delivery.id).where(*in_lane, PENDING, Delivery.priority == priority).order_by(Delivery.id)
    oldest_ids = oldest.limit(bindparam("most", type_=Integer)).correlate(Lane, wanted).subquery()
    last = select(func.max(oldest_ids.c.id)).scalar_subquery()
    has_begun = exists().where(*in_lane, SENDING).correlate(Lane)
    is_active = exists().where(StoreConnection.id == Lane.connection_id, StoreConnection.status == "active")
    return (
        update(Lane)
        .where(Lane.connection_id == connection_id, Lane.lane == lane, Lane.token == token, is_active.correlate(Lane))
        .values(
            token=Lane.token + step,
            taken_at=case((step == 1, bindparam("now", type_=Lane.taken_at.type)), else_=Lane.taken_at),
            claimed_token=Lane.token + step,
            claimed_priority=priority,
            claimed_to=case((has_begun, _HAS_BEGUN), else_=last),  # SQLite would misread a subquery in RETURNING
        )
        .returning(Lane.connection_id, Lane.lane, Lane.token, Lane.claimed_to, Lane.next_attempt_at, Lane.attempts)
    )


@cache
def _build_read(dialect: str) -> Select[Any]:
    claimed = build_given_rows(dialect, "claimed")
    columns = (Delivery.connection_id, Delivery.lane, Delivery.priority, Delivery.id)
    connection_id, lane, priority, last = (get_given(claimed, place, column) for place, column in enumerate(columns))
    has_profile = exists().where(
        ProfileSent.connection_id == Delivery.connection_id, ProfileSent.person_id == Delivery.person_id
    )
    in_lane = Delivery.connection_id == connection_id, Delivery.lane == lane, OPEN, PENDING
    return (
        select(*_COLUMNS, Person.withheld, has_profile.correlate(Delivery).label("has_profile"))
        .select_from(claimed)
        .join(Delivery, (Delivery.priority == priority) & (Delivery.id <= last))
        .join(Person, Person.id == Delivery.person_id)
        .where(*in_lane)
        .order_by(Delivery.id)
    )
