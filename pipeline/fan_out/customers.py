"""Who an event is about: the customer in its body, under every shape a relation takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.events.catalogue import EventRow
from pipeline.events.fields import get_path
from schemas.email import is_email


@dataclass(frozen=True, slots=True)
class Customer:
    """The customer of an event as its body shows them, perhaps by id only (a relation given as a link).

    `malformed`: the body has an address that is none, so `email` is None.
    """

    id: int | None
    email: str | None
    fields: Mapping[str, Any]
    has_malformed_email: bool = False


def find_customer(row: EventRow, data: Mapping[str, Any]) -> Customer | None:
    """The customer an event concerns, or None if it concerns nobody or the body does not say whom."""
    if not row.buyer:
        return None
    shown = [found for path in row.buyer if isinstance(found := get_path(data, path), dict)]
    shown += [found for order in get_orders(row, data) if isinstance(found := order.get("customer"), dict)]
    fields = next((one for one in shown if one.get("email") or one.get("id") is not None), {})
    customer_id = fields.get("id") or _find_bare_customer_id(row, data)
    email = fields.get("email") or next((one["email"] for one in shown if one.get("email")), None)
    if customer_id is None and email is None:
        return None
    usable = is_email(email)
    return Customer(
        customer_id, email if usable else None, fields, has_malformed_email=email is not None and not usable
    )


def get_orders(row: EventRow, data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The orders a body shows: the subject itself, the one inside it, or those of a shipment's fulfilments."""
    if row.subject == "order":
        return [data]
    if isinstance(data.get("order"), dict):
        return [data["order"]]
    return [one["order"] for one in get_fulfillments(data) if isinstance(one.get("order"), dict)]


def get_fulfillments(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A shipment's fulfilments; none where the store sent a link."""
    return [one for one in data.get("fulfillments") or () if isinstance(one, dict)]


def _find_bare_customer_id(row: EventRow, data: Mapping[str, Any]) -> int | None:
    """`customer_id` beside or instead of the customer: hook bodies may have either (seen in captured payloads)."""
    if row.subject == "customer":
        return None
    found = data.get("customer_id") or next((o.get("customer_id") for o in get_orders(row, data)), None)
    return found if isinstance(found, int) else None
