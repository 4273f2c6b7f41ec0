"""A page of the boxes of several stores, and how many there are in which state. Ids, codes and times, no names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select, tuple_

from pipeline.ledger.queries.fulfilment import FOR_PEOPLE, NOT_FOR_PEOPLE, BoxLine, list_lines
from pipeline.ledger.schema.fulfilment import FulfilmentOrder, Warehouse


@dataclass(frozen=True, slots=True)
class BoxFilter:
    """Which boxes; empty or None does not filter. `number`: of the order, or of Cratejoy's shipment."""

    store_ids: tuple[int, ...]
    states: Collection[str] = ()
    needs_person: bool = False  # without what ends by itself, or was seen by a person
    reason: str | None = None  # or the notice that was not put away
    billing_type: str | None = None
    number: str | None = None


def list_box_page(
    conn: Connection, wanted: BoxFilter, *, before: tuple[int, int] | None = None, limit: int = 50
) -> list[BoxLine]:
    """The boxes that changed last come first. `before`: the time of the change and the id of the last one shown."""
    conditions = _build_conditions(wanted)
    if before is not None:
        conditions.append(tuple_(FulfilmentOrder.state_at, FulfilmentOrder.id) < tuple_(*before))
    return list_lines(conn, conditions, limit)


def count_boxes_that_need_a_person(conn: Connection, store_ids: Sequence[int]) -> int | None:
    """How many boxes of these stores wait for a person; None if none of them has a warehouse. One query of a header."""
    wanted = BoxFilter(tuple(store_ids), FOR_PEOPLE, needs_person=True)
    waiting = select(func.count()).select_from(FulfilmentOrder).where(*_build_conditions(wanted)).scalar_subquery()
    query = select(waiting).where(exists().where(Warehouse.store_id.in_(store_ids)))
    return conn.execute(query).scalar()


def list_stores_with_warehouse(conn: Connection, store_ids: Collection[int]) -> list[int]:
    """Those of the stores that have a warehouse."""
    query = select(Warehouse.store_id).where(Warehouse.store_id.in_(store_ids)).order_by(Warehouse.store_id)
    return list(conn.execute(query).scalars())


def _build_conditions(wanted: BoxFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [FulfilmentOrder.store_id.in_(wanted.store_ids)]
    if wanted.states:
        conditions.append(FulfilmentOrder.state.in_(sorted(wanted.states)))
    if wanted.needs_person:
        conditions.append(FulfilmentOrder.reason.is_not(None) & FulfilmentOrder.reason.not_in(NOT_FOR_PEOPLE))
    if wanted.reason is not None:
        is_noted = (FulfilmentOrder.notice == wanted.reason) & FulfilmentOrder.notice_at.is_not(None)
        conditions.append((FulfilmentOrder.reason == wanted.reason) | is_noted)
    if wanted.billing_type is not None:
        conditions.append(FulfilmentOrder.billing_type == wanted.billing_type)
    if wanted.number is not None:
        conditions.append(or_(*_match_number(wanted.number)))
    return conditions


def _match_number(number: str) -> list[ColumnElement[bool]]:
    is_id = number.isascii() and number.isdecimal() and len(number) <= 18  # noqa: PLR2004  (what every database takes)
    matches = [FulfilmentOrder.order_number == number.upper()]
    return [*matches, FulfilmentOrder.shipment_id == int(number)] if is_id else matches
