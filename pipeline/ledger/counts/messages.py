"""What became of forwarded events whose messages did not all arrive. Every other forwarded event is at the platform.

An event may have several messages: for several people, and to several platforms. The worst of them counts: refused,
then waiting. If neither is left, one that arrived; then one that was withheld; then one that was stopped because the
person was erased, which counts as kept.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, case, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from pipeline.ledger.deliveries.status import DEAD, OPEN
from pipeline.ledger.deliveries.stopped import STOPPED
from pipeline.ledger.deliveries.withhold import WITHHELD
from pipeline.ledger.schema.core import Delivery, Event

EventState = Literal["refused", "waiting", "sent", "withheld", "kept"]

FORWARDED = "forwarded"
_STATES: tuple[EventState, ...] = ("refused", "waiting", "sent", "withheld", "kept")  # the worst first
_REFUSED, _WAITING, _SENT, _WITHHELD, _KEPT = (literal(rank, literal_execute=True) for rank in range(len(_STATES)))
_OF_EVENT = Delivery.event_id.is_not(None)
_SET_ASIDE_STATUSES = [literal(WITHHELD, literal_execute=True), literal(STOPPED, literal_execute=True)]
_SET_ASIDE = Delivery.status.in_(_SET_ASIDE_STATUSES)
_SET_ASIDE_RANK = case((Delivery.status == _SET_ASIDE_STATUSES[0], _WITHHELD), else_=_KEPT)
# Each condition is that of a partial index, word for word, which holds the few events with such a message.
_NOT_SENT = ((_REFUSED, DEAD), (_WAITING, OPEN), (_SET_ASIDE_RANK, _SET_ASIDE))
_RANK = case((DEAD, _REFUSED), (OPEN, _WAITING), (_SET_ASIDE, _SET_ASIDE_RANK), else_=_SENT)


def select_states(*event_ids: ColumnElement[bool]) -> Select[Any]:
    """(event_id, state) of these events that have messages."""
    columns: tuple[Any, ...] = Delivery.event_id, _name_state(func.min(_RANK))
    return select(*columns).where(_OF_EVENT, *event_ids).group_by(Delivery.event_id)


def select_not_sent(store_ids: Collection[int] | None, first_id: int = 0) -> Select[Any]:
    """(store_id, received_at, state) of the forwarded events of these stores, or of all, that are not at the platform,
    from this event's id on. It costs as much as there are such events, however many have arrived.

    What was refused or waits is so whatever became of the event's other messages: these are looked at only where all
    that was found was set aside.
    """
    stores: list[ColumnElement[bool]] = [] if store_ids is None else [Delivery.store_id.in_(store_ids)]
    among = *stores, _OF_EVENT, Delivery.event_id >= first_id
    found = union_all(
        *(select(Delivery.event_id, rank.label("rank")).where(*among, is_so) for rank, is_so in _NOT_SENT)
    ).subquery()
    worst = select(found.c.event_id, func.min(found.c.rank).label("rank")).group_by(found.c.event_id).subquery()
    other = aliased(Delivery)
    arrived = exists().where(other.event_id == worst.c.event_id, other.status.not_in(_SET_ASIDE_STATUSES))
    query = select(Event.store_id, Event.received_at, _name_state(worst.c.rank))
    query = query.join(worst, worst.c.event_id == Event.id).where(Event.outcome == FORWARDED)
    return query.where(or_(worst.c.rank < _SENT, ~arrived))


def _name_state(rank: ColumnElement[Any]) -> Any:
    return case(dict(enumerate(_STATES)), value=rank).label("state")
