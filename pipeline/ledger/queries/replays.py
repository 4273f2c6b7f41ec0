"""What a replay may send again: messages of events, refused messages and dead hooks, a slice at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from pipeline.core.consent import WITHHELD_REASONS
from pipeline.ledger.deliveries.status import DEAD
from pipeline.ledger.deliveries.stopped import EMPTY_MESSAGE, FORGET_KIND
from pipeline.ledger.replays import Selection
from pipeline.ledger.schema.core import DeadHook, Delivery, Event, EventPerson, Person, StoreConnection
from pipeline.redaction.raw_body import EMPTIED_KEY


@dataclass(frozen=True, slots=True)
class CandidateMessage:
    """A message as a replay finds it. `at`: when its event happened, in seconds."""

    id: int
    event_id: int | None
    person_id: int
    platform: str
    kind: str
    status: str
    has_id: bool
    at: int
    is_empty: bool
    is_person_withheld: bool


@dataclass(frozen=True, slots=True)
class CandidateHook:
    """A dead hook as a replay finds it."""

    id: int
    received_at: int
    is_empty: bool


def list_own_events(conn: Connection, store_id: int, event_ids: Collection[int]) -> list[int]:
    """Those of these events that are the store's."""
    own = select(Event.id).where(Event.id.in_(event_ids), Event.store_id == store_id)
    return list(conn.execute(own.order_by(Event.id)).scalars())


def list_event_messages(conn: Connection, event_ids: Collection[int]) -> list[CandidateMessage]:
    """Every message of these events."""
    return _read(conn, _messages().where(Delivery.event_id.in_(event_ids)).order_by(Delivery.id))


def list_refused_messages(
    conn: Connection, store_id: int, *, until: int, after: int, limit: int
) -> list[CandidateMessage]:
    """The store's next refused messages, the oldest first."""
    row_id = Delivery.id + 0  # an expression: in the order of the ids SQLite would read all messages, sent ones too
    refused = DEAD, Delivery.done_at <= until, Delivery.store_id == store_id, row_id > after
    return _read(conn, _messages().where(*refused).order_by(row_id).limit(limit))


def count_withheld_copies(conn: Connection, event_ids: Collection[int]) -> int:
    """How many copies of these events were not written because their person is withheld."""
    withheld = EventPerson.event_id.in_(event_ids), EventPerson.reason.in_(WITHHELD_REASONS)
    return conn.execute(select(func.count()).select_from(EventPerson).where(*withheld)).scalar_one()


def list_waiting_hooks(
    conn: Connection, store: str, selection: Selection, *, asked_at: int, after: int, limit: int
) -> list[CandidateHook]:
    """The store's next dead hooks that were not replayed, the oldest first, with the selection's event and time."""
    waiting = [
        DeadHook.store == store,
        DeadHook.replayed_at.is_(None),
        DeadHook.died_at <= asked_at,
        DeadHook.id > after,
    ]
    waiting += [] if selection.name is None else [DeadHook.event == selection.name]
    waiting += [] if selection.since is None else [DeadHook.received_at >= selection.since]
    waiting += [] if selection.until is None else [DeadHook.received_at <= selection.until]
    return _read_hooks(conn, _hooks().where(*waiting).order_by(DeadHook.id).limit(limit))


def list_named_hooks(conn: Connection, store: str, hook_ids: Collection[int]) -> list[CandidateHook]:
    """Those of these dead hooks that are the store's and were not replayed."""
    waiting = DeadHook.store == store, DeadHook.replayed_at.is_(None), DeadHook.id.in_(hook_ids)
    return _read_hooks(conn, _hooks().where(*waiting).order_by(DeadHook.id))


def _messages() -> Select[Any]:
    columns = (
        *(Delivery.id, Delivery.event_id, Delivery.person_id, StoreConnection.platform, Delivery.kind),
        *(Delivery.status, Delivery.message_id.is_not(None).label("has_id")),
        Delivery.message,
        Person.withheld.is_not(None).label("is_person_withheld"),
    )
    query = select(*columns).join(StoreConnection, StoreConnection.id == Delivery.connection_id)
    return query.join(Person, Person.id == Delivery.person_id).where(Delivery.kind != FORGET_KIND)


def _read(conn: Connection, query: Select[Any]) -> list[CandidateMessage]:
    return [_build_message(row) for row in conn.execute(query)]


def _build_message(row: Row[Any]) -> CandidateMessage:
    columns = row._asdict()
    message = columns.pop("message")
    return CandidateMessage(**columns, at=message.get("at") or 0, is_empty=message == EMPTY_MESSAGE)


def _hooks() -> Select[Any]:
    is_empty = DeadHook.detail[EMPTIED_KEY].as_string().is_not(None)
    return select(DeadHook.id, DeadHook.received_at, is_empty.label("is_empty"))


def _read_hooks(conn: Connection, query: Select[Any]) -> list[CandidateHook]:
    return [CandidateHook(**row._asdict()) for row in conn.execute(query)]
