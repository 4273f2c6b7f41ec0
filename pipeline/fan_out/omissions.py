"""What is left out of a copy, because it is of a person whose data is withheld, or because it is an address."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.core.hooks import Role
from pipeline.events.catalogue import EventRow
from pipeline.events.fields import get_path
from pipeline.fan_out.consent import find_source
from pipeline.fan_out.customers import get_fulfillments, get_orders
from schemas.email import is_email

# What the buyer typed about the recipient, and where the box goes, which may be the recipient's home.
_GIFT_INFO = frozenset({"order_gift_info", "subscription_gift_info", "sent_gift", "received_gift", "gifts"})
_OF_THE_RECIPIENT = _GIFT_INFO | {
    *("gift_message", "ship_address", "address", "addresses", "labels", "label_batch"),
    *("note", "notes", "logs", "cart", "carts", "_md"),
}
ADDRESS_ATTRIBUTES = frozenset({"email", "phone", "city", "region"})

_ORDER = ("id", "status", "financial_status", "fulfillment_status", "placed_at", "total", "sub_total", "total_tax")
_ORDER_FLAGS = ("refunded_amount", "is_renewal", "is_gift", "is_test", "type")
_SUBSCRIPTION = ("id", "status", "start_date", "end_date", "autorenew", "is_gift", "is_test", "type")
_SHIPMENT = ("id", "status", "shipped_at", "adjusted_ordered_at", "is_gift", "is_test", "type")
_TRANSACTION = ("id", "created_at", "result", "total", "is_test")
_CUSTOMER = ("id", "country", "num_orders", "num_subscriptions", "subscription_status", "total_revenue", "type")
_PRODUCT = ("id", "name", "sku")
_TERM = ("id", "name", "num_cycles")


@dataclass(frozen=True, slots=True)
class Omissions:
    """What the copies of one event leave out."""

    recipient: bool = False  # everything about the gift's recipient, of the customer's copy
    giver: bool = False  # the giver's name and message, of the recipient's copy


NOTHING_OMITTED = Omissions()


def find_gifts_in(data: object, source: str | None = None) -> Iterator[tuple[str | None, str | None]]:
    """Yield the recipient's address and the order's source of every gift anywhere in a body."""
    if isinstance(data, dict):
        source = find_source(data) or source
        for name, value in data.items():
            if name in _GIFT_INFO:
                items = value if isinstance(value, list) else [value]
                yield from ((_find_address(item), source) for item in items if isinstance(item, dict))
            elif isinstance(value, dict | list):
                yield from find_gifts_in(value, source)
    elif isinstance(data, list):
        for item in data:
            yield from find_gifts_in(item, source)


def _find_address(info: Mapping[str, Any]) -> str | None:
    given = info.get("gift_recipient_email") or info.get("email")
    return given if is_email(given) else None


def apply_omissions(role: Role, data: dict[str, Any], omissions: Omissions) -> dict[str, Any]:
    """Return a copy of this role without what is to be left out."""
    if role == "customer":
        return remove_recipient(data) if omissions.recipient else data
    return remove_giver(data) if omissions.giver else data


def remove_recipient(data: Any) -> Any:
    """Return a customer's copy without anything about the recipient of its gift."""
    if isinstance(data, dict):
        return {name: remove_recipient(value) for name, value in data.items() if name not in _OF_THE_RECIPIENT}
    return [remove_recipient(item) for item in data] if isinstance(data, list) else data


def remove_giver(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a gift recipient's copy without the giver's name and message."""
    return {**data, "gift": {"recipient_name": (data.get("gift") or {}).get("recipient_name")}}


def remove_addresses(row: EventRow, copy: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy without any address, built from an allow-list: a new field of Cratejoy's never leaks.

    A gift recipient's is built from their copy, which lacks the giver's prices and payments.
    """
    if copy.get("role") == "gift_recipient":
        data = copy.get(str(row.subject)) or {}
    kept = ("subject", "subject_id", "store", "role", "currency", "is_gift", "is_test")
    models: dict[str, Any] = {}
    if row.subject in _MODELS:
        models[str(row.subject)] = _MODELS[str(row.subject)](get_path(data, row.at) or {})
    if row.at:
        models["order"] = _order(next(iter(get_orders(row, data)), {}))
    return {name: copy[name] for name in kept if name in copy} | models


def remove_address_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return profile attributes without those that are an address, or a part of one."""
    return {name: value for name, value in attributes.items() if name not in ADDRESS_ATTRIBUTES}


def _order(data: Mapping[str, Any]) -> dict[str, Any]:
    products = [_pick(item, _PRODUCT) for item in data.get("products") or () if isinstance(item, dict)]
    return _pick(data, (*_ORDER, *_ORDER_FLAGS)) | ({"products": products} if products else {})


def _subscription(data: Mapping[str, Any]) -> dict[str, Any]:
    inner = {name: _pick(data.get(name), keys) for name, keys in (("product", _PRODUCT), ("term", _TERM))}
    return _pick(data, _SUBSCRIPTION) | {name: value for name, value in inner.items() if value}


def _shipment(data: Mapping[str, Any]) -> dict[str, Any]:
    boxes = [_pick(item, ("id", "subscription_id", "cycle_number", "total_cycles")) for item in get_fulfillments(data)]
    return _pick(data, _SHIPMENT) | ({"fulfillments": boxes} if boxes else {})


def _pick(model: object, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: model[key] for key in keys if key in model} if isinstance(model, dict) else {}


_MODELS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "order": _order,
    "subscription": _subscription,
    "shipment": _shipment,
    "transaction": lambda data: _pick(data, _TRANSACTION),
    "customer": lambda data: _pick(data, _CUSTOMER),
}
