"""Messages to platforms, a page at a time: those of an event, of a person, those that wait, and those refused.

Each list is read by an index that exists for the delivery itself, so that none costs anything while hooks are recorded.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import CTE, ColumnElement, Connection, Select, func, literal, select, true, union_all

from pipeline.ledger.deliveries.status import DEAD, OPEN
from pipeline.ledger.deliveries.stopped import STOPPED
from pipeline.ledger.deliveries.withhold import WITHHELD
from pipeline.ledger.schema.core import Delivery, Store, StoreConnection

MessageState = Literal["waiting", "sent", "refused", "withheld", "stopped"]
STATE_OF: dict[str, MessageState] = {
    "pending": "waiting",
    "sending": "waiting",
    "sent": "sent",
    "dead": "refused",
    WITHHELD: "withheld",
    STOPPED: "stopped",
}
_KINDS = union_all(
    *(
        select(literal(status).label("status"), literal(priority).label("priority"))
        for status in ("pending", "sending")
        for priority in (0, 1)
    )
)


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages to list: of an event or a person, or in a state, waiting or refused. One must be given."""

    store_ids: tuple[int, ...]
    event_id: int | None = None
    person_id: int | None = None
    connection_id: int | None = None
    state: Literal["waiting", "refused"] | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one platform. Times in µs. `settled_at` None: it waits."""

    id: int
    store: str
    event_id: int | None
    person_id: int
    connection_id: int
    platform: str
    kind: str
    name: str | None
    message_id: str | None
    state: MessageState
    attempts: int
    reason: str | None
    detail: str | None
    notes: list[Any]
    created_at: int
    settled_at: int | None
    content: dict[str, Any] = field(repr=False)


def list_messages(
    conn: Connection, wanted: MessageFilter, *, before: int | None = None, limit: int = 50
) -> list[Message]:
    """A page of messages, newest first; the next page begins `before` the last one's id."""
    if not wanted.store_ids:
        return []
    is_of_one = wanted.event_id is not None or wanted.person_id is not None
    if is_of_one:
        return _load(conn, _newest(conn, select(Delivery.id).where(*_build_conditions(wanted, before)), limit))
    find = _find_refused if wanted.state == "refused" else _find_waiting
    return _load(conn, find(conn, wanted, before, limit))


def find_message(conn: Connection, store_ids: Collection[int], message_id: int) -> Message | None:
    """The message with this id, if it is of one of these stores."""
    mine = Delivery.id == message_id, Delivery.store_id.in_(store_ids)
    return next(iter(_load(conn, _newest(conn, select(Delivery.id).where(*mine), 1))), None)


def _build_conditions(wanted: MessageFilter, before: int | None) -> list[ColumnElement[bool]]:
    columns: dict[Any, Any] = {
        Delivery.event_id: wanted.event_id,
        Delivery.person_id: wanted.person_id,
        Delivery.connection_id: wanted.connection_id,
    }
    states = {"refused": DEAD, "waiting": OPEN}
    return [
        Delivery.store_id.in_(wanted.store_ids),
        *(column == value for column, value in columns.items() if value is not None),
        *([] if wanted.state is None else [states[wanted.state]]),
        *([] if before is None else [Delivery.id < before]),
    ]


def _find_waiting(conn: Connection, wanted: MessageFilter, before: int | None, limit: int) -> list[int]:
    """The newest ids. The index of open messages is ordered by id only within a lane, a status and a priority, so the
    newest of each such part is found, and more only of the parts whose own newest is among the newest.
    """
    page = [] if before is None else [Delivery.id < before]
    link = StoreConnection
    mine = [link.id == wanted.connection_id] if wanted.connection_id is not None else []
    lanes, kinds = _select_lane_numbers(), _KINDS.subquery("kinds")
    part = Delivery.connection_id == link.id, Delivery.lane == lanes.c.lane
    kind = Delivery.status == kinds.c.status, Delivery.priority == kinds.c.priority
    newest = select(Delivery.id).where(OPEN, *part, *kind, *page).order_by(Delivery.id.desc()).limit(1)
    first = newest.correlate(link, lanes, kinds).scalar_subquery()
    query = select(link.id.label("connection_id"), lanes.c.lane, kinds, first.label("newest")).select_from(link)
    query = query.join(lanes, lanes.c.lane < link.lanes).join(kinds, true())
    rows = conn.execute(query.where(link.store_id.in_(wanted.store_ids), *mine)).all()
    newest_parts = sorted((row for row in rows if row.newest is not None), key=lambda row: -row.newest)[:limit]
    found: list[int] = []
    for row in newest_parts:
        if len(found) >= limit and row.newest < found[limit - 1]:
            break  # so are the others: what is found is newer than all of theirs
        of_part = Delivery.connection_id == row.connection_id, Delivery.lane == row.lane
        its_kind = Delivery.status == row.status, Delivery.priority == row.priority
        found += _newest(conn, select(Delivery.id).where(OPEN, *of_part, *its_kind, *page), limit)
        found = sorted(found, reverse=True)[:limit]
    return found


def _select_lane_numbers() -> CTE:
    """From 0, as many as any connection has. A lane has a row only once it was held, so that rows of lanes won't do."""
    numbers = select(literal(0).label("lane")).cte("numbers", recursive=True)
    most = select(func.max(StoreConnection.lanes)).scalar_subquery()
    return numbers.union_all(select(numbers.c.lane + 1).where(numbers.c.lane + 1 < most))


def _find_refused(conn: Connection, wanted: MessageFilter, before: int | None, limit: int) -> list[int]:
    """The newest ids of refused messages. They are few: their own index is read, not the table in the order of ids."""
    unordered = Delivery.id + 0  # an expression, which no index of ids serves
    conditions = [DEAD, Delivery.store_id.in_(wanted.store_ids), *([] if before is None else [unordered < before])]
    if wanted.connection_id is not None:
        conditions.append(Delivery.connection_id == wanted.connection_id)
    query = select(Delivery.id).where(*conditions).order_by(unordered.desc())
    return list(conn.execute(query.limit(limit)).scalars())


def _newest(conn: Connection, query: Select[int], limit: int) -> list[int]:
    return list(conn.execute(query.order_by(Delivery.id.desc()).limit(limit)).scalars())


def _load(conn: Connection, ids: Collection[int]) -> list[Message]:
    columns = (Delivery.id, Store.name.label("store"), Delivery.event_id, Delivery.person_id, Delivery.connection_id)
    what = (StoreConnection.platform, Delivery.kind, Delivery.name, Delivery.message_id, Delivery.status)
    how = (Delivery.attempts, Delivery.reason, Delivery.detail, Delivery.notes, Delivery.created_at)
    query = select(*columns, *what, *how, Delivery.done_at.label("settled_at"), Delivery.message.label("content"))
    query = query.join(Store, Store.id == Delivery.store_id)
    query = query.join(StoreConnection, StoreConnection.id == Delivery.connection_id)
    found = []
    for row in conn.execute(query.where(Delivery.id.in_(ids)).order_by(Delivery.id.desc())):
        values = row._asdict()
        state = STATE_OF[values.pop("status")]
        found.append(Message(**values, state=state))
    return found
