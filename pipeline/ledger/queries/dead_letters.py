"""Dead letters: hooks and deliveries in one list, each with its details, and the replay of a delivery."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Select, literal, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.infra.compression import decompress
from pipeline.ledger.deliveries.status import DEAD
from pipeline.ledger.queries.deliveries import CallDetail, DeliveryDetail, find_delivery, list_calls
from pipeline.ledger.schema.core import DeadHook, Delivery, Store

DeadLetterKind = Literal["hook", "delivery"]
Query = Select[*tuple[Any, ...]]
Column = InstrumentedAttribute[Any]


class DeadLetterCursor(NamedTuple):
    """A position in the list of dead letters: newest first, then by kind and id."""

    died_at: int
    kind: DeadLetterKind
    id: int


@dataclass(frozen=True, slots=True)
class DeadLetterSummary:
    """A dead letter, for lists. `name` is the event's, None for a profile; `stage` is where it failed."""

    died_at: int
    kind: DeadLetterKind
    id: int
    store: str
    name: str | None
    stage: str
    reason: str

    @property
    def cursor(self) -> DeadLetterCursor:
        """Where the next page begins, if this is the last dead letter of a page."""
        return DeadLetterCursor(self.died_at, self.kind, self.id)


@dataclass(frozen=True, slots=True)
class DeadHookDetail:
    """A hook that could not become an event, with its raw bytes."""

    listed: DeadLetterSummary
    version: int
    receipt: str
    detail: dict[str, Any]
    times: int
    received_at: int
    replayed_at: int | None
    query: str | None = field(repr=False)
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeadDeliveryDetail:
    """A message that its platform has rejected."""

    listed: DeadLetterSummary
    delivery: DeliveryDetail
    calls: list[CallDetail]


def list_dead_letters(
    conn: Connection, *, before: DeadLetterCursor | None = None, limit: int = 50
) -> list[DeadLetterSummary]:
    """A page of dead letters, newest first. Replayed hooks are not listed."""
    hooks = _page(
        _dead_hooks_query().where(DeadHook.replayed_at.is_(None)), DeadHook.died_at, DeadHook.id, before, limit
    )
    deliveries = _page(_dead_deliveries_query(), Delivery.done_at, Delivery.id, before, limit)
    both = union_all(select(hooks.subquery()), select(deliveries.subquery())).subquery()
    newest = both.c.died_at.desc(), both.c.kind.desc(), both.c.id.desc()
    return [DeadLetterSummary(**row._asdict()) for row in conn.execute(select(both).order_by(*newest).limit(limit))]


def get_dead_letter(conn: Connection, kind: DeadLetterKind, dead_id: int) -> DeadHookDetail | DeadDeliveryDetail | None:
    """A dead letter with everything that is stored about it; None if there is none with this id."""
    return _get_dead_hook(conn, dead_id) if kind == "hook" else _get_dead_delivery(conn, dead_id)


def _dead_hooks_query() -> Query:
    kind = literal("hook", literal_execute=True).label("kind")
    name = DeadHook.event.label("name")
    return select(DeadHook.died_at, kind, DeadHook.id, DeadHook.store, name, DeadHook.stage, DeadHook.reason)


def _dead_deliveries_query() -> Query:
    kind = literal("delivery", literal_execute=True).label("kind")
    stage = literal("forward", literal_execute=True).label("stage")
    columns = (Delivery.done_at.label("died_at"), kind, Delivery.id, Store.name.label("store"))
    query = select(*columns, Delivery.name, stage, Delivery.reason)
    return query.join(Store, Store.id == Delivery.store_id).where(DEAD)


def _page(query: Query, died_at: Column, row_id: Column, before: DeadLetterCursor | None, limit: int) -> Query:
    if before is not None:
        cursor = tuple_(died_at, query.selected_columns["kind"], row_id)
        # The second condition implies the first, which lets the index be used.
        query = query.where(died_at <= before.died_at, cursor < tuple_(*before))
    return query.order_by(died_at.desc(), row_id.desc()).limit(limit)


def _get_dead_hook(conn: Connection, dead_id: int) -> DeadHookDetail | None:
    row = conn.execute(_dead_hooks_query().where(DeadHook.id == dead_id)).one_or_none()
    if row is None:
        return None
    columns = (DeadHook.version, DeadHook.receipt, DeadHook.detail, DeadHook.times, DeadHook.received_at)
    details = select(*columns, DeadHook.replayed_at, DeadHook.query, DeadHook.raw).where(DeadHook.id == dead_id)
    more = conn.execute(details).one()._asdict()
    return DeadHookDetail(DeadLetterSummary(**row._asdict()), **{**more, "raw": decompress(more["raw"])})


def _get_dead_delivery(conn: Connection, dead_id: int) -> DeadDeliveryDetail | None:
    row = conn.execute(_dead_deliveries_query().where(Delivery.id == dead_id)).one_or_none()
    delivery = find_delivery(conn, dead_id)
    if row is None or delivery is None:
        return None
    return DeadDeliveryDetail(DeadLetterSummary(**row._asdict()), delivery, list_calls(conn, [dead_id]))
