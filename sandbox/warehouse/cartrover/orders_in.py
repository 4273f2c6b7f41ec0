"""Read a new order as CartRover does, and say what is wrong with it."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.warehouse.floor import Floor
from sandbox.warehouse.orders import Line, Order

CHANNEL = "cartrover"
DUPLICATE = "OrderDuplicate"
REQUIRED = ("cust_ref", "ship_address_1", "ship_city", "ship_zip", "ship_country")
# A choice of ours: the state must be there as a field, and filled in only where addresses have one.
COUNTRIES_WITH_STATES = {"USA", "US", "CAN", "CA", "AUS", "AU"}
COUNTRY_LETTERS = 3
MONEY = ("sub_total", "order_discount", "sales_tax", "shipping_handling", "grand_total")


def find_fault(received: Mapping[str, Any], countries: str) -> str | None:
    """Return the message of an `Invalid` answer, or None if the order can be taken."""
    missing = [name for name in REQUIRED if _is_blank(received.get(name))]
    country = str(received.get("ship_country") or "")
    if "ship_state" not in received or (country in COUNTRIES_WITH_STATES and _is_blank(received["ship_state"])):
        missing.append("ship_state")
    if all(_is_blank(received.get(name)) for name in ("ship_company", "ship_first_name", "ship_last_name")):
        missing.append("ship_first_name, ship_last_name or ship_company")
    is_copied = received.get("ship_is_billing") is True
    if not is_copied and all(_is_blank(received.get(n)) for n in ("cust_company", "cust_first_name", "cust_last_name")):
        missing.append("cust_first_name, cust_last_name or cust_company")
    if missing:
        return f"Order missing required field(s): {', '.join(missing)}"
    # Whether two letters are accepted is not proved; the vendor's samples have three.
    if countries == "alpha3" and not (len(country) == COUNTRY_LETTERS and country.isascii() and country.isupper()):
        return f"Invalid ship_country: {country}"
    wrong = [name for name in MONEY if not _is_amount(received.get(name))]
    return f"Invalid {', '.join(wrong)}" if wrong else _find_fault_in_items(received.get("items"))


def to_lines(floor: Floor, received: Mapping[str, Any]) -> list[Line]:
    """Return the lines of an order without faults."""
    return [
        Line(
            floor.new_id(),
            str(item["item"]),
            int(item["quantity"]),
            item.get("description"),
            _text_or_none(item.get("line_item_id")),
        )
        for item in received["items"]
    ]


def accept(floor: Floor, received: Mapping[str, Any]) -> Order:
    """Take the order. One with a SKU that the warehouse does not know goes into `error`, as IM finds out later."""
    order = floor.accept(CHANNEL, str(received["cust_ref"]), to_lines(floor, received), received)
    unknown = [line.sku for line in order.lines if line.sku in floor.switches.unknown_skus]
    if unknown:
        floor.hold(order, f"Item not found in WMS: {', '.join(unknown)}")
    return order


def _find_fault_in_items(items: object) -> str | None:
    if not isinstance(items, list) or not items:
        return "Order missing required field(s): items"
    for number, item in enumerate(items, 1):
        if not isinstance(item, Mapping) or _is_blank(item.get("item")):
            return f"Order missing required field(s): item of line {number}"
        quantity = item.get("quantity")
        if not str(quantity).isdecimal() or int(str(quantity)) < 1:
            return f"Invalid quantity of line {number}"
    return None


def _is_amount(value: object) -> bool:
    """Currency units: a number, a number as text, or nothing."""
    if isinstance(value, str):
        return re.fullmatch(r"-?\d+(\.\d+)?", value) is not None or not value
    return value is None or isinstance(value, int | float)


def _is_blank(value: object) -> bool:
    return value is None or str(value).strip() == ""


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
