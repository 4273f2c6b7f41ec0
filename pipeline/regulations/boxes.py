"""The boxes of a person: emptied of names and addresses when the person is erased, and part of what is exported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from pipeline.fulfilment.sealed_order import open_order
from pipeline.ledger.fulfilment.orders import OrderRow
from pipeline.ledger.fulfilment.packages import list_packages
from pipeline.ledger.fulfilment.personal import empty_boxes, find_boxes_of
from pipeline.regulations.people import FoundPerson

_SHOWN = ("order_number", "shipment_id", "state", "lines", "target_at", "sent_at", "shipped_at", "confirmed_at")
_PARCEL = ("carrier", "tracking_number", "shipped_at")


def empty_person_boxes(conn: Connection, person: FoundPerson) -> int:
    """Empty the boxes that the person has bought or gets; returns how many had a name and an address.

    A box that is paid for and not sent yet still goes out: its address is read from Cratejoy for the sending alone.
    """
    return empty_boxes(conn, [row.id for row in _find(conn, person)])


def load_boxes(conn: Connection, person: FoundPerson, secret_keys: Sequence[str]) -> list[dict[str, Any]]:
    """The person's boxes. The address of a gift is its recipient's, and not shown to the giver."""
    rows = _find(conn, person)
    parcels = list_packages(conn, [row.id for row in rows])
    return [
        {
            **{name: getattr(row, name) for name in _SHOWN},
            "parcels": [
                {name: getattr(parcel, name) for name in _PARCEL} for parcel in parcels if parcel.order_id == row.id
            ],
            "ship_to": _read_address(row, secret_keys) if not row.is_gift or _is_received(row, person) else None,
        }
        for row in rows
    ]


def _find(conn: Connection, person: FoundPerson) -> list[OrderRow]:
    who = person.identity
    return find_boxes_of(conn, person.store.id, who.customer_ids, who.bought | who.received)


def _is_received(row: OrderRow, person: FoundPerson) -> bool:
    subjects = {("shipment", row.shipment_id), ("subscription", row.subscription_id)}
    subjects |= {("order", number) for number in row.order_ids}
    return not person.identity.received.isdisjoint(subjects)


def _read_address(row: OrderRow, secret_keys: Sequence[str]) -> dict[str, Any] | None:
    if row.payload is None or not secret_keys:
        return None
    return asdict(open_order(secret_keys, row.identity, row.payload).ship_to)
