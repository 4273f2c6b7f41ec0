"""What could not go on, hooks and deliveries in one list, and the way back for a delivery."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Select, literal, select, tuple_, union_all, update
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.ledger.deliveries.words import DEAD
from pipeline.ledger.reading.deliveries import CallShown, DeliveryShown, calls_of, find_delivery
from pipeline.ledger.tables import DeadHook, Delivery, Store
from pipeline.packed import unpacked

DeadKind = Literal["hook", "delivery"]
Query = Select[*tuple[Any, ...]]
Column = InstrumentedAttribute[Any]


class DeadPlace(NamedTuple):
    """A place in the list of the dead: newest first, then by kind and id."""

    died_at: int
    kind: DeadKind
    id: int


@dataclass(frozen=True, slots=True)
class DeadListed:
    """One line of the list. `name` is the event's, None for a profile; `stage` where it ended."""

    died_at: int
    kind: DeadKind
    id: int
    store: str
    name: str | None
    stage: str
    reason: str

    @property
    def place(self) -> DeadPlace:
        """Where the next page begins, if this is the last line of a page."""
        return DeadPlace(self.died_at, self.kind, self.id)


@dataclass(frozen=True, slots=True)
class DeadHookShown:
    """A hook that could not become an event, with the bytes that came."""

    listed: DeadListed
    version: int
    receipt: str
    detail: dict[str, Any]
    times: int
    received_at: int
    replayed_at: int | None
    query: str | None = field(repr=False)
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeadDeliveryShown:
    """A message its platform will never take."""

    listed: DeadListed
    delivery: DeliveryShown
    calls: list[CallShown]


def list_dead(conn: Connection, *, before: DeadPlace | None = None, limit: int = 50) -> list[DeadListed]:
    """A page of what waits for somebody's decision, newest first. Replayed hooks are not listed."""
    hooks = _page(_hooks().where(DeadHook.replayed_at.is_(None)), DeadHook.died_at, DeadHook.id, before, limit)
    deliveries = _page(_deliveries(), Delivery.done_at, Delivery.id, before, limit)
    both = union_all(select(hooks.subquery()), select(deliveries.subquery())).subquery()
    newest = both.c.died_at.desc(), both.c.kind.desc(), both.c.id.desc()
    return [DeadListed(**row._asdict()) for row in conn.execute(select(both).order_by(*newest).limit(limit))]


def show_dead(conn: Connection, kind: DeadKind, dead_id: int) -> DeadHookShown | DeadDeliveryShown | None:
    """One of the dead with all that is kept of it."""
    return _show_hook(conn, dead_id) if kind == "hook" else _show_delivery(conn, dead_id)


def replay_delivery(conn: Connection, delivery_id: int) -> bool:
    """Let a dead delivery wait again, in its old place in the lane. False if it is not dead."""
    waiting: dict[str, Any] = {"status": "pending", "done_at": None, "reason": None, "detail": None, "notes": []}
    found = update(Delivery).where(Delivery.id == delivery_id, DEAD).values(waiting)
    return bool(conn.execute(found.returning(Delivery.id)).scalar())


def _hooks() -> Query:
    kind = literal("hook", literal_execute=True).label("kind")
    name = DeadHook.event.label("name")
    return select(DeadHook.died_at, kind, DeadHook.id, DeadHook.store, name, DeadHook.stage, DeadHook.reason)


def _deliveries() -> Query:
    kind = literal("delivery", literal_execute=True).label("kind")
    stage = literal("forward", literal_execute=True).label("stage")
    columns = (Delivery.done_at.label("died_at"), kind, Delivery.id, Store.name.label("store"))
    query = select(*columns, Delivery.name, stage, Delivery.reason)
    return query.join(Store, Store.id == Delivery.store_id).where(DEAD)


def _page(query: Query, died_at: Column, row_id: Column, before: DeadPlace | None, limit: int) -> Query:
    if before is not None:
        place = tuple_(died_at, query.selected_columns["kind"], row_id)
        # The first condition is there for the index: it says less than the second.
        query = query.where(died_at <= before.died_at, place < tuple_(*before))
    return query.order_by(died_at.desc(), row_id.desc()).limit(limit)


def _show_hook(conn: Connection, dead_id: int) -> DeadHookShown | None:
    row = conn.execute(_hooks().where(DeadHook.id == dead_id)).one_or_none()
    if row is None:
        return None
    columns = (DeadHook.version, DeadHook.receipt, DeadHook.detail, DeadHook.times, DeadHook.received_at)
    kept = select(*columns, DeadHook.replayed_at, DeadHook.query, DeadHook.raw).where(DeadHook.id == dead_id)
    more = conn.execute(kept).one()._asdict()
    return DeadHookShown(DeadListed(**row._asdict()), **{**more, "raw": unpacked(more["raw"])})


def _show_delivery(conn: Connection, dead_id: int) -> DeadDeliveryShown | None:
    row = conn.execute(_deliveries().where(Delivery.id == dead_id)).one_or_none()
    delivery = find_delivery(conn, dead_id)
    if row is None or delivery is None:
        return None
    return DeadDeliveryShown(DeadListed(**row._asdict()), delivery, calls_of(conn, [dead_id]))
