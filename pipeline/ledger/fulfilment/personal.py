"""What is personal in boxes: emptied for a person who is erased, and 90 days after a box is finished. Ids stay.

A box that is not sent yet still goes out, since it is paid for: its address is then read from Cratejoy once more, and
kept no longer than the sending takes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select, update

from pipeline.ledger.fulfilment.order_links import select_boxes_of_orders
from pipeline.ledger.fulfilment.orders import OrderRow, load_orders, select_orders
from pipeline.ledger.schema.fulfilment import FulfilmentOrder, FulfilmentPackage, QuarantinedTracking
from pipeline.ledger.sql.tables import chunks

Subject = tuple[str, int]
KEPT_US = 90 * 86_400 * 1_000_000  # after a box is confirmed, or ends in another way


def find_boxes_of(
    conn: Connection, store_id: int, customer_ids: Collection[int], subjects: Collection[Subject]
) -> list[OrderRow]:
    """The boxes of these customers, and those of these Cratejoy orders, subscriptions and shipments."""
    by_kind: dict[str, set[int]] = {}
    for kind, number in subjects:
        by_kind.setdefault(kind, set()).add(number)
    orders = by_kind.get("order", set())
    mine = FulfilmentOrder.store_id == store_id
    found: set[int] = set()
    for part in chunks(sorted(orders)):
        found |= set(conn.execute(select_boxes_of_orders(store_id, part)).scalars())
    for column, numbers in (
        (FulfilmentOrder.customer_id, set(customer_ids)),
        (FulfilmentOrder.subscription_id, by_kind.get("subscription", set())),
        (FulfilmentOrder.shipment_id, by_kind.get("shipment", set())),
    ):
        for part in chunks(sorted(numbers)):
            found |= set(conn.execute(select(FulfilmentOrder.id).where(mine, column.in_(part))).scalars())
    rows: list[OrderRow] = []
    for part in chunks(sorted(found)):
        query = select_orders().where(FulfilmentOrder.id.in_(part))
        rows += load_orders(conn, query.order_by(FulfilmentOrder.id))
    return rows


def empty_boxes(conn: Connection, order_ids: Collection[int]) -> int:
    """Empty the names and addresses of these boxes for good; returns how many had any.

    A worker that has read one of them before cannot write its address again: the version is another.
    """
    emptied = 0
    for part in chunks(sorted(order_ids)):
        mine = FulfilmentOrder.id.in_(part)
        emptied += conn.execute(
            update(FulfilmentOrder).where(mine, FulfilmentOrder.payload.is_not(None)).values(payload=None)
        ).rowcount
        erased = {"is_erased": True, "version": FulfilmentOrder.version + 1}
        conn.execute(update(FulfilmentOrder).where(mine).values(erased))
        _empty_links(conn, part)
    return emptied


def purge_payloads(conn: Connection, now: int, limit: int) -> int:
    """Empty at most `limit` payloads whose time has come; returns how many there were.

    Those of boxes that are finished, and of boxes that have not moved for as long, such as held and failed ones.
    """
    rests = FulfilmentOrder.purge_at.is_(None) & (FulfilmentOrder.state_at <= now - KEPT_US)
    due = FulfilmentOrder.payload.is_not(None), (FulfilmentOrder.purge_at <= now) | rests
    ids = list(conn.execute(select(FulfilmentOrder.id).where(*due).limit(limit)).scalars())
    if ids:
        emptied = update(FulfilmentOrder).where(FulfilmentOrder.id.in_(ids), due[1])
        conn.execute(emptied.values(payload=None, purge_at=None))
        _empty_links(conn, ids)
    return len(ids)


def _empty_links(conn: Connection, order_ids: Sequence[int]) -> None:
    """Empty the links to the parcels of these boxes: a carrier's link may have a ZIP code or a name in it."""
    conn.execute(update(FulfilmentPackage).where(FulfilmentPackage.order_id.in_(order_ids)).values(url=""))
    numbers = select(FulfilmentOrder.store_id, FulfilmentOrder.order_number).where(FulfilmentOrder.id.in_(order_ids))
    for store_id, number in conn.execute(numbers).all():
        apart = update(QuarantinedTracking).filter_by(store_id=store_id, order_number=number)
        conn.execute(apart.values(url=""))
