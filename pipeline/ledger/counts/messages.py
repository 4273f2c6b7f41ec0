"""What became of forwarded events whose messages did not all arrive. Every other forwarded event is at the platform.

An event may have several messages: for several people, and to several platforms. The worst of them counts: refused,
then waiting. If neither is left, one that arrived; then one that was withheld; then one that was stopped because the
person was erased, which counts as kept.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select

from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.deliveries.stopped import STOPPED
from pipeline.ledger.deliveries.withhold import WITHHELD
from pipeline.ledger.schema.core import Delivery, Event

MessageState = Literal["refused", "waiting", "sent", "withheld", "kept"]

FORWARDED = "forwarded"
_OF_EVENT = Delivery.event_id.is_not(None)
# The conditions of partial indexes, word for word: each holds the few events whose messages are in such a state.
_DEAD = Delivery.status == literal("dead", literal_execute=True)
_SET_ASIDE = Delivery.status.in_([literal(WITHHELD, literal_execute=True), literal(STOPPED, literal_execute=True)])
_RANK: tuple[MessageState, ...] = ("refused", "waiting", "sent", "withheld", "kept")
_WORST = func.min(
    case(
        {"dead": 0, "pending": 1, "sending": 1, "sent": 2, WITHHELD: 3, STOPPED: 4},
        value=Delivery.status,
        else_=literal(2, literal_execute=True),
    )
)
STATE: ColumnElement[str] = case(dict(enumerate(_RANK)), value=_WORST)


def select_states(*event_ids: ColumnElement[bool]) -> Select[Any]:
    """(event_id, state) of these events that have messages."""
    columns: tuple[Any, ...] = Delivery.event_id, STATE.label("state")
    return select(*columns).where(_OF_EVENT, *event_ids).group_by(Delivery.event_id)


def select_not_sent(store_ids: Collection[int] | None, first_id: int = 0) -> Select[Any]:
    """(store_id, received_at, name, state) of the forwarded events of these stores, or of all, that are not at the
    platform, from this event's id on. It costs as much as there are such events, however many have arrived.
    """
    stores: list[ColumnElement[bool]] = [] if store_ids is None else [Delivery.store_id.in_(store_ids)]
    among = *stores, _OF_EVENT, Delivery.event_id >= first_id
    parts = [select(Delivery.event_id).where(*among, state) for state in (OPEN, _DEAD, _SET_ASIDE)]
    states = select_states(or_(*(Delivery.event_id.in_(part) for part in parts))).subquery()
    query = select(Event.store_id, Event.received_at, Event.name, states.c.state).join(
        states, states.c.event_id == Event.id
    )
    return query.where(Event.outcome == FORWARDED, states.c.state != "sent")
