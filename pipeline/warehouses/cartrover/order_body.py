"""An order as the Cart API's New Order takes it. Money is in currency units there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision

from pipeline.core.fulfilment import Line, Order
from pipeline.warehouses.dates import format_date

_DESCRIPTIONS = {"subscription": "Cratejoy subscription shipment", "order": "Cratejoy order"}


def build_order(order: Order) -> dict[str, Any]:
    """Return the body. `cust_ref` is the key of every later call; `cust_po_no` is the same number in full."""
    to = order.ship_to
    first_name, last_name = split_name(to.name)
    return {
        "cust_ref": order.order_number,
        "cust_po_no": order.order_number,
        "order_date": format_date(order.ordered_at),
        "requested_ship_date": format_date(order.target_at),
        "ship_company": to.company,
        "ship_first_name": first_name,
        "ship_last_name": last_name,
        "ship_address_1": to.address1,
        "ship_address_2": to.address2,
        "ship_city": to.city,
        "ship_state": to.state,
        "ship_zip": to.zip,
        "ship_country": to.country,
        "ship_phone": to.phone,
        "ship_e_mail": to.email,
        "ship_address_type": "R",
        **_build_buyer(order),
        "customer_id": _text(order.customer_id),
        "ship_code": order.ship_code,
        "ship_code_description": _DESCRIPTIONS[order.kind],
        "gift_message": order.gift_message,
        **_build_totals(order),
        "custom_field_1": str(order.shipment_id),
        "custom_field_2": ",".join(map(str, order.order_ids)),
        "custom_field_3": _text(order.subscription_id),
        "extra_fields": {
            "cratejoy_cycle": _text(order.cycle),
            "cratejoy_billing_type": order.billing_type,
            "ship_carrier": order.carrier,
        },
        "items": [_build_line(line, order.totals.currency) for line in order.lines],
    }


def split_name(name: str) -> tuple[str, str]:
    """Return (first names, last name): Cratejoy has one name. A single word is the last name."""
    *first, last = name.split() or [""]
    return " ".join(first), last


def _build_buyer(order: Order) -> dict[str, Any]:
    """Without a buyer the warehouse copies the recipient (`ship_is_billing`); else it wants a name."""
    if not order.bill_to_name:
        return {"ship_is_billing": True}
    first_name, last_name = split_name(order.bill_to_name)
    return {
        "ship_is_billing": False,
        "cust_first_name": first_name,
        "cust_last_name": last_name,
        "cust_e_mail": order.bill_to_email,
    }


def _build_totals(order: Order) -> dict[str, Any]:
    """Return totals that add up, as CartRover's documentation has them; the discount is positive."""
    totals, currency = order.totals, order.totals.currency
    subtotal = sum(line.unit_price * line.quantity for line in order.lines)
    grand = subtotal + totals.tax + totals.shipping - totals.discount
    return {
        "sub_total": _units(subtotal, currency),
        "order_discount": _units(totals.discount, currency),
        "sales_tax": _units(totals.tax, currency),
        "shipping_handling": _units(totals.shipping, currency),
        "grand_total": _units(grand, currency),
        "currency_code": currency,
    }


def _build_line(line: Line, currency: str) -> dict[str, Any]:
    return {
        "line_no": line.line_no,
        "item": line.sku,
        "quantity": line.quantity,
        "price": _units(line.unit_price, currency),
        "extended_amount": _units(line.unit_price * line.quantity, currency),
        "description": line.description,
        "line_item_id": ",".join(map(str, line.fulfillment_ids)),
    }


def _units(minor_units: int, currency: str) -> float:
    return float(Decimal(minor_units).scaleb(-get_currency_precision(currency)))


def _text(value: int | None) -> str:
    return "" if value is None else str(value)
