"""The columns of an export: which values there are, the presets, and a seller's own choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import Order
from pipeline.warehouses.dates import format_date
from pipeline.warehouses.spreadsheet.references import make_reference

MAX_COLUMNS = 60


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and which value is in it."""

    heading: str
    value: str  # a key of VALUES


VALUES: Mapping[str, Callable[[Order], str]] = {
    "reference": lambda order: make_reference(order.order_number),
    "order_number": lambda order: order.order_number,
    "shipment_id": lambda order: str(order.shipment_id),
    "name": lambda order: order.ship_to.name,
    "company": lambda order: order.ship_to.company,
    "address1": lambda order: order.ship_to.address1,
    "address2": lambda order: order.ship_to.address2,
    "city": lambda order: order.ship_to.city,
    "state": lambda order: order.ship_to.state,
    "zip": lambda order: order.ship_to.zip,
    "country": lambda order: order.ship_to.country,
    "phone": lambda order: order.ship_to.phone,
    "email": lambda order: order.ship_to.email,
    "carrier": lambda order: order.carrier,
    "ship_code": lambda order: order.ship_code,
    "ordered_date": lambda order: format_date(order.ordered_at),
    "ship_date": lambda order: format_date(order.target_at),
    "cycle": lambda order: "" if order.cycle is None else str(order.cycle),
    "gift": lambda order: "yes" if order.is_gift else "no",
    "gift_message": lambda order: order.gift_message,
    "items": lambda order: "; ".join(f"{line.quantity} x {line.description or line.sku}" for line in order.lines),
    "skus": lambda order: "; ".join(f"{line.quantity} x {line.sku}" for line in order.lines),
    "quantity": lambda order: str(sum(line.quantity for line in order.lines)),
    "tracking_number": lambda _: "",  # for those who fill it in
}

# The headings that Pirate Ship finds by itself; it prints the stamp on the label, and its export shows both.
_PIRATE_SHIP = {
    "Name": "name",
    "Company": "company",
    "Address": "address1",
    "Address Line 2": "address2",
    "City": "city",
    "State": "state",
    "Zipcode": "zip",
    "Country": "country",
    "Phone": "phone",
    "Email": "email",
    "Order ID": "reference",
    "Order Items": "skus",
    "Rubber Stamp 1": "reference",
}
_GENERIC = {
    "Reference": "reference",
    "Order number": "order_number",
    "Name": "name",
    "Company": "company",
    "Address 1": "address1",
    "Address 2": "address2",
    "City": "city",
    "State": "state",
    "ZIP": "zip",
    "Country": "country",
    "Phone": "phone",
    "Email": "email",
    "SKUs": "skus",
    "Items": "items",
    "Quantity": "quantity",
    "Gift": "gift",
    "Gift message": "gift_message",
    "Ship code": "ship_code",
    "Ship date": "ship_date",
    "Carrier": "carrier",
    "Tracking number": "tracking_number",
}
PRESETS: Mapping[str, tuple[Column, ...]] = {
    name: tuple(Column(heading, value) for heading, value in columns.items())
    for name, columns in (("pirate_ship", _PIRATE_SHIP), ("generic", _GENERIC))
}


def read_columns(text: str, preset: str) -> tuple[Column, ...]:
    """Return the columns of a setting such as "Order ID = reference, Name = name", or the preset's if it is empty.

    Raises Misconfigured. A file without the reference is not written: nothing in it could be matched when it returns.
    """
    if not text.strip():
        return PRESETS[preset]
    columns = [_read_column(part) for part in text.replace("\n", ",").split(",") if part.strip()]
    headings = [column.heading.casefold() for column in columns]
    if len(set(headings)) < len(headings):
        raise Misconfigured("columns: each heading may be there once")
    if len(columns) > MAX_COLUMNS:
        raise Misconfigured(f"columns: at most {MAX_COLUMNS}")
    if not any(column.value == "reference" for column in columns):
        raise Misconfigured("columns: one must be the reference, such as “Order ID = reference”")
    return tuple(columns)


def _read_column(part: str) -> Column:
    heading, _, value = part.rpartition("=")
    column = Column(heading.strip() or value.strip(), value.strip().lower())
    if column.value not in VALUES:
        raise Misconfigured(f"columns: {column.value!r} is none of {', '.join(VALUES)}")
    return column
