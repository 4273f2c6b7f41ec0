"""Finds the customer whom an event is about, under every shape that a relation takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.events.catalogue import EventRow
from pipeline.events.fields import get_path
from schemas.email import is_email


@dataclass(frozen=True, slots=True)
class Customer:
    """The customer of an event as its body shows them, perhaps by id only (a relation given as a link)."""

    id: int | None
    email: str | None
    fields: Mapping[str, Any]
    has_malformed_email: bool = False  # the body has an address that is not valid; `email` is None then


def find_customer(row: EventRow, data: Mapping[str, Any]) -> Customer | None:
    """Return the customer whom an event concerns; None if it concerns no person, or the body does not say whom."""
    if not row.buyer:
        return None
    shown = [found for path in row.buyer if isinstance(found := get_path(data, path), dict)]
    shown += [found for order in get_orders(row, data) if isinstance(found := order.get("customer"), dict)]
    fields = next((item for item in shown if item.get("email") or item.get("id") is not None), {})
    customer_id = fields.get("id") or _find_bare_customer_id(row, data)
    email = fields.get("email") or next((item["email"] for item in shown if item.get("email")), None)
    if customer_id is None and email is None:
        return None
    if email is not None and not is_email(email):
        return Customer(customer_id, None, fields, has_malformed_email=True)
    return Customer(customer_id, email, fields)


def find_accepts_marketing(row: EventRow, data: Mapping[str, Any], customer: Customer) -> bool | None:
    """Return what any form of this customer in the body says about marketing; None if the store does not ask.

    Where the field stands is not documented, so it is read wherever the customer is.
    """
    orders = get_orders(row, data)
    models = [data, *orders, *_get_listed(data, "orders"), *_get_listed(data, "subscriptions")]
    models += [item for order in orders for item in _get_listed(order, "subscriptions")]
    shown = [customer.fields, *(get_path(data, path) for path in row.buyer), *(item.get("customer") for item in models)]
    shown += [get_path(item, "subscription_gift_info.gift_sender") for item in models]
    said = (item.get("accepts_marketing") for item in shown if isinstance(item, dict) and _is_same(item, customer))
    return next((value for value in said if isinstance(value, bool)), None)


def get_orders(row: EventRow, data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the orders in a body: the subject itself, the order inside it, or those of a shipment's fulfilments."""
    if row.subject == "order":
        return [data]
    if isinstance(data.get("order"), dict):
        return [data["order"]]
    return [item["order"] for item in get_fulfillments(data) if isinstance(item.get("order"), dict)]


def get_fulfillments(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a shipment's fulfilments; none where the store sent a link."""
    return [item for item in data.get("fulfillments") or () if isinstance(item, dict)]


def keep_own_boxes(row: EventRow, data: Mapping[str, Any], customer: Customer | None) -> Mapping[str, Any]:
    """Return a shipment without the fulfilments of orders of another customer; other bodies as they are."""
    if row.subject != "shipment" or customer is None:
        return data
    boxes = get_fulfillments(data)
    own = [item for item in boxes if not _is_of_another(item.get("order"), customer)]
    return data if len(own) == len(boxes) else {**data, "fulfillments": own}


def list_other_customers(row: EventRow, data: Mapping[str, Any]) -> list[Customer]:
    """Return the customers of a shipment's fulfilments who are not the customer of the shipment."""
    customer = find_customer(row, data)
    if row.subject != "shipment" or customer is None:
        return []
    orders = [item["order"] for item in get_fulfillments(data) if _is_of_another(item.get("order"), customer)]
    return [_read_customer(order) for order in orders]


def _read_customer(order: Mapping[str, Any]) -> Customer:
    fields = order["customer"] if isinstance(order.get("customer"), dict) else {}
    number, email = fields.get("id") or order.get("customer_id"), fields.get("email")
    return Customer(number if isinstance(number, int) else None, email if is_email(email) else None, fields)


def _is_of_another(order: object, customer: Customer) -> bool:
    """Return whether an order names another customer: by id, or by address where either lacks an id."""
    if not isinstance(order, dict):
        return False
    shown = _read_customer(order)
    if shown.id is not None and customer.id is not None:
        return shown.id != customer.id
    return bool(shown.email and customer.email and shown.email != customer.email)


def _get_listed(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    listed = data.get(name)
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _is_same(fields: Mapping[str, Any], customer: Customer) -> bool:
    """Return whether a form of a customer is of this one: nothing that it has contradicts that."""
    given = (fields.get("id"), customer.id), (fields.get("email"), customer.email)
    return all(None in pair or pair[0] == pair[1] for pair in given)


def _find_bare_customer_id(row: EventRow, data: Mapping[str, Any]) -> int | None:
    """Return `customer_id`, which may stand beside or instead of the customer (seen in captured payloads)."""
    if row.subject == "customer":
        return None
    found = data.get("customer_id") or next((order.get("customer_id") for order in get_orders(row, data)), None)
    return found if isinstance(found, int) else None
