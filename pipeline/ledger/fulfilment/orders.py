"""Orders: one row for each box. A change is written only if the row is as it was read. In the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update

from pipeline.core.errors import OrderChanged
from pipeline.core.fulfilment import State
from pipeline.infra.crypto.encryption import RowIdentity
from pipeline.ledger.fulfilment.events import About, EventDraft, add_fulfilment_event
from pipeline.ledger.fulfilment.order_links import link_orders, select_boxes_of_orders
from pipeline.ledger.schema.fulfilment import FulfilmentOrder, Warehouse
from pipeline.ledger.sql.tables import chunks, insert_into


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A box as the ledger has it; the table says what its columns mean."""

    id: int
    store_id: int
    shipment_id: int
    resend_no: int
    order_number: str
    kind: str
    billing_type: str
    state: State
    state_at: int
    reason: str | None
    detail: dict[str, Any] | None
    version: int
    adjusted_ordered_at: int | None
    target_at: int | None
    due_at: int | None
    batch_id: int | None
    batch_starts_at: int | None
    batch_ends_at: int | None
    subscription_id: int | None
    customer_id: int | None
    order_ids: list[int]
    cycle: int | None
    is_gift: bool
    country: str | None
    lines: list[dict[str, Any]]
    payload: bytes | None = field(repr=False)
    purge_at: int | None
    is_erased: bool
    fingerprint: str | None
    fingerprint_sent: str | None
    external_id: str | None
    external_version: str | None
    attempts: int
    next_attempt_at: int
    trying_since: int | None
    missed_at: int | None
    first_seen_at: int
    cratejoy_checked_at: int | None
    warehouse_checked_at: int | None
    sent_at: int | None
    shipped_at: int | None
    confirmed_at: int | None
    acknowledge_at: int | None
    update_at: int | None
    is_cancel_wanted: bool
    may_exist: bool
    is_elsewhere: bool
    released: list[str]
    notice: str | None
    notice_at: int | None
    export_id: int | None

    @property
    def identity(self) -> RowIdentity:
        """What `payload` is encrypted for."""
        return RowIdentity("fulfilment_orders", self.id, self.store_id)


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A box that is seen for the first time, or that a person sends again. Its number and kind never change."""

    store_id: int
    shipment_id: int
    order_number: str
    kind: str
    billing_type: str
    state: State
    reason: str | None = None
    resend_no: int = 0


def insert_order(conn: Connection, new: NewOrder, now: int, **columns: Any) -> OrderRow | None:
    """Insert a box and the event that says so; None if the shipment, or the number, has one."""
    values: dict[str, Any] = {name: getattr(new, name) for name in NewOrder.__slots__}
    values |= {"state_at": now, "first_seen_at": now, "order_ids": [], "lines": [], "released": []} | columns
    statement = insert_into(conn, FulfilmentOrder).values(values).on_conflict_do_nothing()
    order_id = conn.execute(statement.returning(FulfilmentOrder.id)).scalar()
    if order_id is None:
        return None
    if values["order_ids"]:
        link_orders(conn, new.store_id, order_id, values["order_ids"])
    seen = EventDraft("found" if new.resend_no == 0 else "sent_again", reason=new.reason)
    add_fulfilment_event(conn, About(new.store_id, order_id, None, new.state), seen, now)
    return get_order(conn, order_id)


def change_order(
    conn: Connection, row: OrderRow, now: int, event: EventDraft | None = None, **changed: Any
) -> OrderRow:
    """Change a box, and write down the event. Raise OrderChanged, and change nothing, if it is not as it was read."""
    state = State(changed.get("state", row.state))
    if state != row.state:
        changed.setdefault("reason", None)
        changed.setdefault("detail", None)
        changed["state_at"] = now
    changed["version"] = row.version + 1
    same = FulfilmentOrder.id == row.id, FulfilmentOrder.version == row.version
    if conn.execute(update(FulfilmentOrder).where(*same).values(changed)).rowcount != 1:
        raise OrderChanged(f"order {row.id}: another worker has changed it")
    if "order_ids" in changed:
        link_orders(conn, row.store_id, row.id, changed["order_ids"])
    if event is not None:
        add_fulfilment_event(conn, About(row.store_id, row.id, row.state, state), event, now)
    return replace(row, **{**changed, "state": state})


def mark_elsewhere(conn: Connection, store_id: int) -> None:
    """Write down that what the store's warehouse may have is not at the one that the store gets now."""
    there = FulfilmentOrder.store_id == store_id, FulfilmentOrder.may_exist, ~FulfilmentOrder.is_elsewhere
    marked = {"is_elsewhere": True, "version": FulfilmentOrder.version + 1}  # a worker that has read it must not go on
    conn.execute(update(FulfilmentOrder).where(*there).values(marked))


def get_order(conn: Connection, order_id: int) -> OrderRow:
    """The box with this id. Raises NoResultFound if there is none."""
    return _build_row(conn.execute(select_orders().where(FulfilmentOrder.id == order_id)).one())


def find_order(conn: Connection, store_id: int, order_number: str) -> OrderRow | None:
    """The store's box with this number, as it was stored."""
    found = FulfilmentOrder.store_id == store_id, FulfilmentOrder.order_number == order_number
    row = conn.execute(select_orders().where(*found)).one_or_none()
    return None if row is None else _build_row(row)


def has_other_store(conn: Connection, store_id: int, order_number: str) -> bool:
    """Whether another store with a warehouse has a box with this number, which then is no box of this one."""
    others = select(Warehouse.store_id).where(Warehouse.store_id != store_id)
    found = FulfilmentOrder.store_id.in_(others), FulfilmentOrder.order_number == order_number
    return conn.execute(select(FulfilmentOrder.id).where(*found).limit(1)).first() is not None


def find_shipment_range(conn: Connection, store_id: int) -> tuple[int, int] | None:
    """The smallest and the largest shipment id of the store's boxes; None without a box."""
    number = FulfilmentOrder.shipment_id
    first, last = (
        conn.execute(select(number).where(FulfilmentOrder.store_id == store_id).order_by(order).limit(1)).scalar()
        for order in (number, number.desc())
    )
    return None if first is None or last is None else (first, last)


def find_newest_order(conn: Connection, store_id: int, shipment_id: int) -> OrderRow | None:
    """The box of this shipment, or the last one that a person has sent again."""
    found = FulfilmentOrder.store_id == store_id, FulfilmentOrder.shipment_id == shipment_id
    row = conn.execute(select_orders().where(*found).order_by(FulfilmentOrder.resend_no.desc()).limit(1)).one_or_none()
    return None if row is None else _build_row(row)


def list_orders_of(conn: Connection, store_id: int, shipment_ids: Iterable[int]) -> dict[int, OrderRow]:
    """Shipment -> its newest box; without shipments that have none."""
    found: dict[int, OrderRow] = {}
    for part in chunks(sorted(set(shipment_ids))):
        mine = FulfilmentOrder.store_id == store_id, FulfilmentOrder.shipment_id.in_(part)
        for row in conn.execute(select_orders().where(*mine).order_by(FulfilmentOrder.resend_no)):
            found[row.shipment_id] = _build_row(row)
    return found


def list_by_numbers(conn: Connection, store_id: int, numbers: Iterable[str]) -> dict[str, OrderRow]:
    """Order number -> the store's box."""
    found: dict[str, OrderRow] = {}
    for part in chunks(sorted(set(numbers))):
        mine = FulfilmentOrder.store_id == store_id, FulfilmentOrder.order_number.in_(part)
        found |= {row.order_number: _build_row(row) for row in conn.execute(select_orders().where(*mine))}
    return found


def list_due_orders(conn: Connection, store_id: int, states: Collection[State], now: int, limit: int) -> list[OrderRow]:
    """Boxes in these states whose next attempt is due, the longest due first."""
    due = _in_states(store_id, states), FulfilmentOrder.next_attempt_at <= now
    order = FulfilmentOrder.next_attempt_at, FulfilmentOrder.id
    return load_orders(conn, select_orders().where(*due).order_by(*order).limit(limit))


def has_due_order(conn: Connection, store_id: int, states: Collection[State], now: int) -> bool:
    """Whether a box in these states is due."""
    due = _in_states(store_id, states), FulfilmentOrder.next_attempt_at <= now
    return conn.execute(select(FulfilmentOrder.id).where(*due).limit(1)).first() is not None


def list_orders_checked_before(
    conn: Connection, store_id: int, states: Collection[State], before: int, limit: int
) -> list[OrderRow]:
    """Boxes in these states that Cratejoy was last asked about before then, the longest ago first."""
    checked = FulfilmentOrder.cratejoy_checked_at
    query = select_orders().where(_in_states(store_id, states), (checked < before) | checked.is_(None))
    return load_orders(conn, query.order_by(checked.nulls_first()).limit(limit))


def list_numbers_in_states(conn: Connection, store_id: int, states: Collection[State]) -> list[tuple[str, str]]:
    """The order number of each box in these states, and the warehouse's own id: "" if it is not known."""
    columns = select(FulfilmentOrder.order_number, FulfilmentOrder.external_id)
    rows = conn.execute(columns.where(_in_states(store_id, states)).order_by(FulfilmentOrder.id))
    return [(number, external_id or "") for number, external_id in rows]


def list_to_acknowledge(conn: Connection, store_id: int, now: int, limit: int) -> list[OrderRow]:
    """Confirmed boxes whose tracking is still to be acknowledged at the warehouse."""
    due = FulfilmentOrder.store_id == store_id, FulfilmentOrder.acknowledge_at <= now
    return load_orders(conn, select_orders().where(*due).order_by(FulfilmentOrder.id).limit(limit))


def list_to_update(conn: Connection, store_id: int, now: int, limit: int) -> list[OrderRow]:
    """Confirmed boxes of which a further tracking number is still to be written to Cratejoy."""
    due = FulfilmentOrder.store_id == store_id, FulfilmentOrder.update_at <= now
    return load_orders(conn, select_orders().where(*due).order_by(FulfilmentOrder.id).limit(limit))


def list_stuck_orders(
    conn: Connection, store_id: int, states: Collection[State], now: int, stuck_us: int
) -> list[OrderRow]:
    """Boxes that have been in these states for so long: the worker that had put them there is gone.

    Also those that are as far in the future: the clock was set back since.
    """
    since = FulfilmentOrder.state_at
    query = select_orders().where(_in_states(store_id, states), (since < now - stuck_us) | (since > now + stuck_us))
    return load_orders(conn, query.order_by(FulfilmentOrder.id))


def list_in_states(conn: Connection, store_id: int, states: Collection[State]) -> list[OrderRow]:
    """Every box in these states."""
    return load_orders(conn, select_orders().where(_in_states(store_id, states)).order_by(FulfilmentOrder.id))


def find_shipments_of(conn: Connection, store_id: int, kind: str, subject_ids: Sequence[int]) -> list[int]:
    """The shipments of boxes that are not finished and belong to these Cratejoy subscriptions, orders or shipments."""
    query = select(FulfilmentOrder.shipment_id).where(_in_states(store_id, OPEN_STATES))
    if kind == "shipment":
        query = query.where(FulfilmentOrder.shipment_id.in_(subject_ids))
    if kind == "subscription":
        query = query.where(FulfilmentOrder.subscription_id.in_(subject_ids))
    if kind == "order":
        query = query.where(FulfilmentOrder.id.in_(select_boxes_of_orders(store_id, subject_ids)))
    return sorted(set(conn.execute(query).scalars()))


# What may still change, at Cratejoy or at the warehouse, so that it is looked at again.
OPEN_STATES = frozenset(State) - {
    State.CONFIRMED,
    State.CANCELLED,
    State.SHIPPED_AFTER_CANCEL,
    State.EXTERNALLY_SHIPPED,
    State.CANCELLED_AT_WAREHOUSE,
}


def _in_states(store_id: int, states: Collection[State]) -> ColumnElement[bool]:
    return (FulfilmentOrder.store_id == store_id) & FulfilmentOrder.state.in_(sorted(states))


def select_orders() -> Any:
    """The query of whole boxes, for `load_orders`."""
    return select(FulfilmentOrder.__table__)


def load_orders(conn: Connection, query: Any) -> list[OrderRow]:
    """The boxes of a query that begins with `select_orders`."""
    return [_build_row(row) for row in conn.execute(query)]


def _build_row(row: Any) -> OrderRow:
    values = row._asdict()
    return OrderRow(**{**values, "state": State(values["state"])})
