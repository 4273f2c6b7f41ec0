"""The kinds of data that are deleted after a while: how their rows are found, and how some of them are deleted.

To add a kind, add a row to `KINDS` and a setting. A table whose rows point to deleted rows has to be deleted with them:
a test compares the foreign keys of the schema with what is deleted here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    bindparam,
    delete,
    exists,
    false,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.deliveries.stopped import EMPTY_MESSAGE
from pipeline.ledger.retention.past import count_dead_hooks, remember_events
from pipeline.ledger.schema.consent import ConsentDecision
from pipeline.ledger.schema.core import (
    Body,
    Call,
    DeadHook,
    Delivery,
    DeliveryCall,
    Event,
    EventPerson,
    EventSubject,
    Fact,
    Gift,
    Person,
    PersonKey,
    ProfileSent,
)
from pipeline.ledger.schema.history import AttributeChange
from pipeline.ledger.schema.rollups import FactRollup
from pipeline.ledger.schema.search import PersonTerm, TrackingNumber

Column = InstrumentedAttribute[Any] | ScalarSelect[Any]
KindName = Literal["bodies", "messages", "calls", "dead_hooks", "events", "attribute_changes", "people"]
_AFTER: BindParameter[Any] = bindparam("after")
_CUTOFF: BindParameter[Any] = bindparam("cutoff")
_MOST: BindParameter[Any] = bindparam("most")


_HAS_CONTENT = Delivery.message != EMPTY_MESSAGE


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that may have to go. A blocked one has to stay for now, however old it is."""

    id: int
    is_old: bool
    is_blocked: bool

    @property
    def may_go(self) -> bool:
        return self.is_old and not self.is_blocked


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table.

    find: rows after an id, in order, with the columns of Candidate.
    delete: deletes those of these rows that may still go, returns how many. oldest: when the oldest kept row is from,
    after an id. restarts: rows do not grow old in the order of their ids, so that every pass looks at all.
    """

    name: KindName
    find: Select[Any]
    delete: Callable[[Connection, Sequence[int], int], int]
    oldest: Select[Any]
    restarts: bool = False


def _find(row_id: Column, at: Column, blocked: ColumnElement[bool]) -> Select[Any]:
    columns: tuple[Any, ...] = (row_id.label("id"), (at < _CUTOFF).label("is_old"), blocked.label("is_blocked"))
    return select(*columns).where(row_id > _AFTER).order_by(row_id).limit(_MOST)


def _oldest(row_id: Column, at: Column) -> Select[Any]:
    return select(at).where(row_id > _AFTER).order_by(row_id).limit(1)


def _delete_bodies(conn: Connection, ids: Sequence[int], _: int) -> int:
    return conn.execute(delete(Body).where(Body.event_id.in_(ids))).rowcount


def _delete_messages(conn: Connection, ids: Sequence[int], cutoff: int) -> int:
    """Empty those of events; delete those that belong to none, which a repeat cannot bring back."""
    done = Delivery.id.in_(ids), Delivery.done_at < cutoff
    of_event = (
        update(Delivery)
        .where(*done, Delivery.event_id.is_not(None), _HAS_CONTENT)
        .values(message=EMPTY_MESSAGE, packed=None)
    )
    emptied = conn.execute(of_event.execution_options(synchronize_session=False)).rowcount
    of_none = select(Delivery.id).where(*done, Delivery.event_id.is_(None)).with_for_update()
    return emptied + _delete_deliveries(conn, list(conn.execute(of_none).scalars()))


def _delete_deliveries(conn: Connection, ids: Sequence[int]) -> int:
    if not ids:
        return 0
    conn.execute(delete(DeliveryCall).where(DeliveryCall.delivery_id.in_(ids)))
    return conn.execute(delete(Delivery).where(Delivery.id.in_(ids))).rowcount


def _delete_calls(conn: Connection, ids: Sequence[int], _: int) -> int:
    conn.execute(delete(DeliveryCall).where(DeliveryCall.call_id.in_(ids)))
    return conn.execute(delete(Call).where(Call.id.in_(ids))).rowcount


def _delete_dead_hooks(conn: Connection, ids: Sequence[int], cutoff: int) -> int:
    count_dead_hooks(conn, ids, cutoff)
    return conn.execute(delete(DeadHook).where(DeadHook.id.in_(ids), DeadHook.died_at < cutoff)).rowcount


def _delete_attribute_changes(conn: Connection, ids: Sequence[int], _: int) -> int:
    return conn.execute(delete(AttributeChange).where(AttributeChange.id.in_(ids))).rowcount


_EVENT_IS_OPEN = exists().where(Delivery.event_id == Event.id, OPEN)


def _delete_events(conn: Connection, ids: Sequence[int], _: int) -> int:
    """Delete events with all that belongs to them, except what stays to recognise a repeat."""
    unlocked = select(Event.id).where(Event.id.in_(ids), ~_EVENT_IS_OPEN)
    going = list(conn.execute(unlocked.with_for_update()).scalars())
    if not going:
        return 0
    remember_events(conn, going)
    _delete_deliveries(conn, list(conn.execute(select(Delivery.id).where(Delivery.event_id.in_(going))).scalars()))
    for child in (Body, EventPerson, EventSubject, TrackingNumber):
        conn.execute(delete(child).where(child.event_id.in_(going)))
    return conn.execute(delete(Event).where(Event.id.in_(going))).rowcount


_PERSON_IS_NEEDED = or_(
    Person.untold_since.is_not(None),
    exists().where(EventPerson.person_id == Person.id),
    exists().where(Delivery.person_id == Person.id),
    exists().where(ConsentDecision.person_id == Person.id),
)


def _delete_people(conn: Connection, ids: Sequence[int], cutoff: int) -> int:
    """Delete people with all that is known of them, and the gifts that they have given."""
    old = Person.id.in_(ids), Person.known_at < cutoff, ~_PERSON_IS_NEEDED
    going = list(conn.execute(select(Person.id).where(*old).with_for_update()).scalars())
    if not going:
        return 0
    _delete_gifts(conn, going, cutoff)
    for child in (PersonKey, FactRollup, Fact, ProfileSent, AttributeChange, PersonTerm):
        conn.execute(delete(child).where(child.person_id.in_(going)))
    return conn.execute(delete(Person).where(Person.id.in_(going))).rowcount


def _delete_gifts(conn: Connection, people: Sequence[int], cutoff: int) -> None:
    """Delete the gifts that these people have given: what they ordered finds them, as a key."""
    query = select(PersonKey.store_id, PersonKey.kind, PersonKey.value).where(PersonKey.person_id.in_(people))
    ordered = conn.execute(query.where(PersonKey.kind.in_(("order", "subscription", "shipment"))))
    rows = [{"of_store": row.store_id, "of_kind": row.kind, "of_subject": int(row.value)} for row in ordered]
    same = (
        Gift.store_id == bindparam("of_store"),
        Gift.kind == bindparam("of_kind"),
        Gift.subject_id == bindparam("of_subject"),
    )
    if rows:
        conn.execute(delete(Gift).where(*same, Gift.as_of < cutoff), rows)


_RECORDED_AT = select(Event.recorded_at).where(Event.id == Body.event_id).scalar_subquery()
_KEEPS_MESSAGE = or_(Delivery.done_at.is_(None), Delivery.done_at >= _CUTOFF)
_MESSAGES_LEFT = or_(_HAS_CONTENT, Delivery.event_id.is_(None))
_NOTHING_BLOCKS = false()

KINDS: tuple[Kind, ...] = (
    Kind(
        "bodies",
        _find(Body.event_id, _RECORDED_AT, _NOTHING_BLOCKS),
        _delete_bodies,
        _oldest(Body.event_id, _RECORDED_AT),
    ),
    Kind(
        "messages",
        _find(Delivery.id, Delivery.created_at, _KEEPS_MESSAGE).where(_MESSAGES_LEFT),
        _delete_messages,
        _oldest(Delivery.id, Delivery.created_at).where(_HAS_CONTENT),
    ),
    Kind("calls", _find(Call.id, Call.started_at, _NOTHING_BLOCKS), _delete_calls, _oldest(Call.id, Call.started_at)),
    Kind(
        "dead_hooks",
        _find(DeadHook.id, DeadHook.died_at, _NOTHING_BLOCKS),
        _delete_dead_hooks,
        _oldest(DeadHook.id, DeadHook.died_at),
    ),
    Kind(
        "events",
        _find(Event.id, Event.recorded_at, _EVENT_IS_OPEN),
        _delete_events,
        _oldest(Event.id, Event.recorded_at),
    ),
    Kind(
        "attribute_changes",
        _find(AttributeChange.id, AttributeChange.at, _NOTHING_BLOCKS),
        _delete_attribute_changes,
        _oldest(AttributeChange.id, AttributeChange.at),
    ),
    Kind(
        "people",
        _find(Person.id, Person.known_at, _PERSON_IS_NEEDED).where(Person.known_at < _CUTOFF),
        _delete_people,
        _oldest(Person.id, Person.created_at),
        restarts=True,
    ),
)
