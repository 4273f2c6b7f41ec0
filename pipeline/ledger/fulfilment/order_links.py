"""Which Cratejoy orders are behind which box, so that a box is found by one of them. In the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Select, delete, select

from pipeline.ledger.schema.fulfilment import FulfilmentOrderLink
from pipeline.ledger.sql.tables import insert_into


def link_orders(conn: Connection, store_id: int, box_id: int, numbers: Iterable[int]) -> None:
    """Write down that exactly these Cratejoy orders are behind the box."""
    wanted = sorted(set(numbers))
    of_box = FulfilmentOrderLink.box_id == box_id
    conn.execute(delete(FulfilmentOrderLink).where(of_box, FulfilmentOrderLink.number.not_in(wanted)))
    if wanted:
        rows = [{"store_id": store_id, "box_id": box_id, "number": number} for number in wanted]
        conn.execute(insert_into(conn, FulfilmentOrderLink).values(rows).on_conflict_do_nothing())


def select_boxes_of_orders(store_id: int, numbers: Collection[int]) -> Select[Any]:
    """The query of the ids of the store's boxes behind which one of these Cratejoy orders is."""
    mine = FulfilmentOrderLink.store_id == store_id, FulfilmentOrderLink.number.in_(sorted(numbers))
    return select(FulfilmentOrderLink.box_id).where(*mine)
