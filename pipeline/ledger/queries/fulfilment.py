"""Boxes for people: counts, lists by state, and the three lists that are empty in a healthy shop."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, select

from pipeline.core.fulfilment import State
from pipeline.core.fulfilment_files import FILE_ADAPTERS
from pipeline.ledger.schema.fulfilment import FulfilmentOrder, QuarantinedTracking, Warehouse

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
EXPORT_US = 7 * DAY_US  # after which a box that waits for an export is late
_WAITS_TO_GO = (
    State.DISCOVERED,  # due, and Cratejoy has not shown it since
    State.READY,
    State.SENDING,
    State.UNKNOWN,
    State.HELD,
    State.FAILED,
    State.CANCELLED_AT_WAREHOUSE,
)
_AWAY = (State.AT_WAREHOUSE, State.PARTIALLY_SHIPPED, State.CANCEL_REFUSED)
_LEFT = (State.SHIPPED, State.CONFIRMING, State.SHIPPED_AFTER_CANCEL, State.FAILED)
# States in which a person has to look, unless the reason is one of NOT_FOR_PEOPLE.
FOR_PEOPLE = (
    State.HELD,
    State.FAILED,
    State.CANCEL_REFUSED,
    State.SHIPPED_AFTER_CANCEL,
    State.EXTERNALLY_SHIPPED,
    State.CANCELLED_AT_WAREHOUSE,
)
SEEN = "seen_by_person"  # the reason of a box of which a person has said that it stays so
NOT_FOR_PEOPLE = ("unpaid", "missing_cycle", SEEN)  # what ends by itself, or was seen
_NOTED = (
    State.SENDING,
    State.UNKNOWN,
    State.AT_WAREHOUSE,
    State.PARTIALLY_SHIPPED,
    State.CANCEL_REQUESTED,
    State.CANCEL_REFUSED,
    State.CONFIRMED,
)
_NOT_PAID = ("unpaid", "missing_lines", "invalid", "unknown_status")


@dataclass(frozen=True, slots=True)
class BoxCount:
    """How many boxes of a billing type are in a state for a reason."""

    billing_type: str
    state: str
    reason: str | None
    count: int


@dataclass(frozen=True, slots=True)
class BoxLine:
    """A box in a list: ids, codes and times, no names."""

    id: int
    store_id: int
    order_number: str
    shipment_id: int
    billing_type: str
    state: str
    reason: str | None
    notice: str | None
    is_gift: bool
    country: str | None
    lines: list[dict[str, Any]]
    target_at: int | None
    due_at: int | None
    next_attempt_at: int
    state_at: int
    sent_at: int | None
    shipped_at: int | None
    confirmed_at: int | None


@dataclass(frozen=True, slots=True)
class AttentionBoxes:
    """Boxes of a store that need a person for one reason. `numbers`: some of their order numbers."""

    state: str
    reason: str
    count: int
    first_at: int
    last_at: int
    numbers: list[str]


@dataclass(frozen=True, slots=True)
class LateBoxes:
    """The three lists that are empty in a healthy shop, each with the last to change first."""

    paid_not_sent: list[BoxLine]
    sent_without_tracking: list[BoxLine]
    shipped_customer_not_informed: list[BoxLine]


@dataclass(frozen=True, slots=True)
class Age:
    """The boxes of a store in one state on their way. `oldest_at` (µs): since when the oldest is in it."""

    state: str
    count: int
    oldest_at: int


Conditions = list[ColumnElement[bool]]
_ON_THE_WAY = frozenset(State) - {
    State.CONFIRMED,
    State.CANCELLED,
    State.SKIPPED,
    State.SHIPPED_AFTER_CANCEL,
    State.EXTERNALLY_SHIPPED,
    State.CANCELLED_AT_WAREHOUSE,
}
_COLUMNS = tuple(getattr(FulfilmentOrder, name) for name in BoxLine.__slots__)


def count_boxes(conn: Connection, store_id: int) -> list[BoxCount]:
    """How many boxes of each type are in each state, by reason."""
    by = FulfilmentOrder.billing_type, FulfilmentOrder.state, FulfilmentOrder.reason
    query = select(*by, func.count().label("count")).where(FulfilmentOrder.store_id == store_id).group_by(*by)
    return [BoxCount(**row._asdict()) for row in conn.execute(query.order_by(*by))]


def list_late_boxes(conn: Connection, store_id: int, now: int, no_tracking_days: int, *, limit: int = 100) -> LateBoxes:
    """The three lists. `no_tracking_days`: how long a box may be away without tracking. `limit`: of each list."""
    wanted = _find_late(store_id, now, no_tracking_days)
    return LateBoxes(**{name: list_lines(conn, conditions, limit) for name, conditions in wanted.items()})


def count_late_boxes(conn: Connection, store_id: int, now: int, no_tracking_days: int) -> dict[str, int]:
    """How many boxes are in each of the three lists, by its name in `LateBoxes`, in one query."""
    wanted = _find_late(store_id, now, no_tracking_days)
    counts = (
        select(func.count()).select_from(FulfilmentOrder).where(*one).scalar_subquery() for one in wanted.values()
    )
    return dict(zip(wanted, conn.execute(select(*counts)).one(), strict=True))


def list_paid_not_sent(conn: Connection, store_id: int, now: int, *, limit: int = 100) -> list[BoxLine]:
    """The first of the three lists."""
    return list_lines(conn, _is_paid_not_sent(store_id, now), limit)


def _find_late(store_id: int, now: int, no_tracking_days: int) -> dict[str, Conditions]:
    """The conditions of each of the three lists, by its name in `LateBoxes`."""
    return {
        "paid_not_sent": _is_paid_not_sent(store_id, now),
        "sent_without_tracking": _has_no_tracking(store_id, now - no_tracking_days * DAY_US),
        "shipped_customer_not_informed": _is_shipped_unsaid(store_id, now),
    }


def _is_paid_not_sent(store_id: int, now: int) -> Conditions:
    """Boxes that are due since an hour, paid as far as is known, and not at the warehouse.

    A box that waits for a person's export is late only after a week.
    """
    due = FulfilmentOrder.due_at <= now - HOUR_US
    is_paid = FulfilmentOrder.reason.is_(None) | FulfilmentOrder.reason.not_in((*_NOT_PAID, SEEN))
    wanted = [FulfilmentOrder.store_id == store_id, FulfilmentOrder.state.in_(_WAITS_TO_GO), due, is_paid]
    wanted += [FulfilmentOrder.shipped_at.is_(None), _stands_since(now - HOUR_US)]
    cools_off = (FulfilmentOrder.state == State.DISCOVERED) & (FulfilmentOrder.next_attempt_at > now - HOUR_US)
    wanted.append(~cools_off | (FulfilmentOrder.reason == "not_due"))
    by_hand = exists().where(Warehouse.store_id == store_id, Warehouse.adapter.in_(sorted(FILE_ADAPTERS)))
    waits_long = FulfilmentOrder.state_at <= now - EXPORT_US
    return [*wanted, (FulfilmentOrder.state != State.READY) | ~by_hand | waits_long]


def _has_no_tracking(store_id: int, before: int) -> Conditions:
    """Boxes that the warehouse has had since before then, and of which no whole shipping was reported."""
    return [FulfilmentOrder.store_id == store_id, FulfilmentOrder.state.in_(_AWAY), FulfilmentOrder.sent_at < before]


def _is_shipped_unsaid(store_id: int, now: int) -> Conditions:
    """Boxes that have left, and of which the customer was not informed although it was time."""
    return [
        FulfilmentOrder.store_id == store_id,
        FulfilmentOrder.state.in_(_LEFT),
        FulfilmentOrder.shipped_at.is_not(None),
        FulfilmentOrder.confirmed_at.is_(None),
        FulfilmentOrder.reason.is_distinct_from(SEEN),
        func.coalesce(FulfilmentOrder.trying_since, FulfilmentOrder.next_attempt_at) <= now - HOUR_US,
        _stands_since(now - HOUR_US),
    ]


def _stands_since(before: int) -> ColumnElement[bool]:
    """Whether a box has been so since before then. One that is tried again and again changes its state each time."""
    since = func.coalesce(FulfilmentOrder.trying_since, FulfilmentOrder.state_at)
    return (since <= before) | (FulfilmentOrder.state == State.FAILED)


def list_ages(conn: Connection, store_id: int, now: int) -> list[Age]:
    """How many boxes are on their way in each state, and since when the oldest is. Not those that are not due yet."""
    is_early = (FulfilmentOrder.state == State.DISCOVERED) & (FulfilmentOrder.next_attempt_at > now - DAY_US)
    on_the_way = (
        FulfilmentOrder.state.in_(sorted(_ON_THE_WAY)) & ~is_early & FulfilmentOrder.reason.is_distinct_from(SEEN)
    )
    columns = FulfilmentOrder.state, func.count().label("count"), func.min(FulfilmentOrder.state_at).label("oldest_at")
    query = select(*columns).where(FulfilmentOrder.store_id == store_id, on_the_way).group_by(FulfilmentOrder.state)
    return [Age(**row._asdict()) for row in conn.execute(query.order_by("oldest_at"))]


def list_boxes_for_people(conn: Connection, store_id: int) -> list[AttentionBoxes]:
    """Boxes that stay as they are until a person decides, by state and reason."""
    is_open = FulfilmentOrder.reason.is_not(None) & FulfilmentOrder.reason.not_in(NOT_FOR_PEOPLE)
    wanted = FulfilmentOrder.store_id == store_id, FulfilmentOrder.state.in_(FOR_PEOPLE), is_open
    return _group(conn, wanted, FulfilmentOrder.reason, FulfilmentOrder.state_at)


def list_notices(conn: Connection, store_id: int) -> list[AttentionBoxes]:
    """Boxes with a notice that no person has put away, by state and notice."""
    is_open = FulfilmentOrder.notice_at.is_not(None) & FulfilmentOrder.state.in_(_NOTED)
    return _group(
        conn, (FulfilmentOrder.store_id == store_id, is_open), FulfilmentOrder.notice, FulfilmentOrder.notice_at
    )


def count_quarantined(conn: Connection, store_id: int) -> int:
    """How many parcels are kept apart, and wait for a person."""
    open_ = QuarantinedTracking.store_id == store_id, QuarantinedTracking.outcome.is_(None)
    return conn.execute(select(func.count()).select_from(QuarantinedTracking).where(*open_)).scalar_one()


def _group(conn: Connection, wanted: Collection[ColumnElement[bool]], reason: Any, at: Any) -> list[AttentionBoxes]:
    state = FulfilmentOrder.state
    groups = select(state, reason, func.count(), func.min(at), func.max(at)).where(*wanted).group_by(state, reason)
    found = []
    for of_state, of_reason, count, first, last in conn.execute(groups.order_by(state, reason)).all():
        of_group = select(FulfilmentOrder.order_number).where(*wanted, state == of_state, reason == of_reason)
        numbers = list(conn.execute(of_group.order_by(at.desc(), FulfilmentOrder.id.desc()).limit(5)).scalars())
        found.append(AttentionBoxes(of_state, of_reason, count, first, last, numbers))
    return found


def list_lines(conn: Connection, wanted: Collection[ColumnElement[bool]], limit: int) -> list[BoxLine]:
    """The boxes that meet these conditions, the last to change first."""
    query = select(*_COLUMNS).where(*wanted).order_by(FulfilmentOrder.state_at.desc(), FulfilmentOrder.id.desc())
    return [BoxLine(**row._asdict()) for row in conn.execute(query.limit(limit))]
