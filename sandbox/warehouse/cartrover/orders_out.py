"""Write an order as CartRover does: unset values null, many numbers as texts, times in UTC with `+00:00`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.warehouse.cartrover.orders_in import MONEY
from sandbox.warehouse.orders import Line, Order, Package
from sandbox.warehouse.switches import Switches

# The fields of New Order that a full read returns.
FIELDS = (
    "cust_ref", "cust_po_no", "order_date", "requested_ship_date", "ship_company", "ship_first_name", "ship_last_name",
    "ship_address_1", "ship_address_2", "ship_address_3", "ship_city", "ship_state", "ship_zip", "ship_country",
    "ship_phone", "ship_e_mail", "ship_address_type", "ship_is_billing", "cust_company", "cust_first_name",
    "cust_last_name", "cust_e_mail", "customer_id", "ship_code", "ship_code_description", "gift_message", "gift_wrap",
    "sub_total", "order_discount", "sales_tax", "shipping_handling", "grand_total", "currency_code", "custom_field_1",
    "custom_field_2", "custom_field_3", "extra_fields", "shipping_instructions",
)  # fmt: skip
UPPER = (
    "ship_first_name",
    "ship_last_name",
    "ship_company",
    "ship_address_1",
    "ship_address_2",
    "ship_city",
    "ship_state",
)
US, ZIP5 = {"USA", "US"}, 5
# Two of three lines have their quantity as a text; the vendor's samples have both.
NUMBERS_EVERY = 3


def moment(seconds: float | None) -> str | None:
    """Return `2018-08-27T02:24:58+00:00`."""
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC).isoformat()


def status_of(order: Order, switches: Switches, now: float) -> str:
    """Return the status IM would show. An order that is not to be sent any more stays `new`."""
    if order.stage == "cancelled":
        return "new" if is_sending_cancelled(order, switches) else "canceled"
    if order.held_at is not None:
        return "error"
    if order.stage == "shipped":
        # A package that is added later puts the order back into the list of shipped ones.
        is_done = order.confirmed_at is not None and all(package.is_acknowledged for package in order.packages)
        return "confirmed" if is_done else "shipped"
    if order.stage == "partial":
        return "partial"
    return "new" if now < delivered_at(order, switches) and order.picked_at is None else "at_wms"


def delivered_at(order: Order, switches: Switches) -> float:
    """Return when IM hands the order to the warehouse, in seconds."""
    return order.created_at + switches.delivery_s


def is_sending_cancelled(order: Order, switches: Switches) -> bool:
    """Was the order cancelled before IM had handed it to the warehouse?"""
    return order.cancelled_at is not None and order.cancelled_at < delivered_at(order, switches)


def write_status(order: Order, switches: Switches, now: float) -> dict[str, Any]:
    """Return the light form."""
    reached = delivered_at(order, switches)
    was_delivered = now >= reached and not is_sending_cancelled(order, switches)
    return {
        "cust_ref": order.number,
        "cust_po_no": order.received.get("cust_po_no"),
        "delivered_to_wms_date": moment(reached) if was_delivered else None,
        "updated_date_time": moment(order.updated_at),
        "order_status": status_of(order, switches, now),
        "shipments": [write_package(package) for package in order.packages],
    }


def write_full(order: Order, switches: Switches, now: float) -> dict[str, Any]:
    """Return the fields of New Order, as the warehouse keeps them, and what has become of the order."""
    return {
        **write_received(order.received, normalises=switches.normalises_addresses),
        **write_status(order, switches, now),
        "created_date_time": moment(order.created_at),
        "record_no": str(order.order_id),
        "order_source": order.received.get("order_source", "CARTROVER"),
        "working_ship_code": order.received.get("ship_code"),
        "cancel_date": moment(order.cancelled_at),
        "error_reason": order.hold_reason,
        "on_hold": "Y" if order.held_at is not None else "N",
        "sending_canceled": "Y" if is_sending_cancelled(order, switches) else "N",
        "items": [write_line(number, line) for number, line in enumerate(order.lines, 1)],
    }


def write_row(order: Order, switches: Switches, now: float) -> dict[str, Any]:
    """Return a row of a list. `num_to_ship` is negative where more was shipped than ordered."""
    ordered, shipped = order.count_ordered(), order.count_shipped()
    counts = {"total_qty": str(ordered), "num_to_ship": ordered - shipped, "num_shipped": shipped}
    return write_full(order, switches, now) | counts


def write_received(received: Mapping[str, Any], *, normalises: bool) -> dict[str, Any]:
    """Return what was received. Warehouses normalise addresses: upper case, ZIP+4."""
    written = {name: received.get(name) or None for name in FIELDS}
    for name in MONEY:
        written[name] = f"{float(received.get(name) or 0):.2f}"
    if normalises:
        for name in UPPER:
            written[name] = str(written[name]).upper() if written[name] else None
        zip_code = str(written["ship_zip"] or "")
        if written["ship_country"] in US and len(zip_code) == ZIP5:
            written["ship_zip"] = f"{zip_code}-{int(zip_code) % 9000 + 1000 if zip_code.isdecimal() else 1000}"
    return written


def write_line(number: int, line: Line) -> dict[str, Any]:
    """Return a line of a full read."""
    return {
        "line_no": str(number),
        "item": line.sku,
        "alt_sku": None,
        "filtered_sku": None,
        "quantity": line.quantity if number % NUMBERS_EVERY == 0 else str(line.quantity),
        "price": "0.00",
        "Description": line.description,
        "line_item_id": line.external_id,
    }


def write_package(package: Package) -> dict[str, Any]:
    """Return a shipment of an order."""
    return {
        "carrier": package.carrier,
        "method": package.method,
        "tracking_no": package.tracking or None,
        "tracking_no_secondary": None,
        "tracking_url": package.url,
        "total_cost": "1.50",
        "package_weight_lbs": "0.50",
        "date": moment(package.shipped_at),
        "items": [
            {"item": sku, "quantity": str(quantity), "carton_code": None, "carton_num": "1"}
            for sku, quantity in package.lines
        ],
    }
