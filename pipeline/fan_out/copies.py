"""What an event says on a platform: the customer's copy is the whole model, a gift recipient's an allow-list.

A recipient's copy carries no price, no state of a payment, no address (the box may go to the giver first), and of
the giver only the first name. It is built from what may go, so that a new field of Cratejoy's never leaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.events.paths import dig
from pipeline.events.table import EventRow
from pipeline.fan_out.gifts import Gift
from pipeline.fan_out.people import fulfillments_in

_ORDER = ("id", "status", "fulfillment_status", "placed_at", "is_renewal", "is_gift", "is_test", "type")
_SUBSCRIPTION = ("id", "start_date", "end_date", "is_test", "type")
_SHIPMENT = ("id", "status", "tracking_number", "shipped_at", "adjusted_ordered_at", "is_test", "type")
_PRODUCT = ("id", "name", "sku")
_STATUS_TOLD = ("active", "cancelled", "expired")  # the others tell how the giver's payment goes


def customer_copy(row: EventRow, data: Mapping[str, Any], store: str, currency: str) -> dict[str, Any]:
    """Event data for the customer: who, what, and the models of the body under their names."""
    models = {row.subject: data} if row.subject and not row.at else dict(data)
    return _head(row, data, store, "customer") | {"currency": currency} | models


def recipient_copy(row: EventRow, data: Mapping[str, Any], store: str, gift: Gift) -> dict[str, Any]:
    """Event data for a gift recipient."""
    card = {"message": gift.message, "recipient_name": gift.name, "giver_first_name": gift.giver_first_name}
    subject = row.subject or ""
    model = _RECIPIENT_MODELS[subject](data)
    return _head(row, data, store, "gift_recipient") | {"is_gift": True, "gift": card, subject: model}


def _head(row: EventRow, data: Mapping[str, Any], store: str, role: str) -> dict[str, Any]:
    subject_id = dig(data, f"{row.at}.id" if row.at else "id")
    return {"subject": row.subject, "subject_id": subject_id, "store": store, "role": role}


def _order(data: Mapping[str, Any]) -> dict[str, Any]:
    products = data.get("products")
    listed = [_only(one, _PRODUCT) for one in products or () if isinstance(one, dict)]
    return _only(data, _ORDER) | ({"products": listed} if listed else {})


def _subscription(data: Mapping[str, Any]) -> dict[str, Any]:
    told = {"status": data["status"]} if data.get("status") in _STATUS_TOLD else {}
    box = {"product": _only(data["product"], _PRODUCT)} if isinstance(data.get("product"), dict) else {}
    boxes = dig(data, "term.num_cycles")
    return _only(data, _SUBSCRIPTION) | told | box | ({"boxes": boxes} if boxes is not None else {})


def _shipment(data: Mapping[str, Any]) -> dict[str, Any]:
    boxes = [_box(one) for one in fulfillments_in(data)]
    return _only(data, _SHIPMENT) | ({"boxes": boxes} if boxes else {})


def _box(fulfillment: Mapping[str, Any]) -> dict[str, Any]:
    number, of = fulfillment.get("cycle_number"), fulfillment.get("total_cycles")
    # Cycles count from 0; -1 marks a box the store's staff added.
    place = {"number": number + 1, "of": of} if isinstance(number, int) and number >= 0 else {}
    instance = fulfillment.get("product_instance")
    named = _only(instance.get("product") or instance, _PRODUCT) if isinstance(instance, dict) else {}
    return place | named


def _only(model: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: model[key] for key in keys if key in model}


_RECIPIENT_MODELS = {"order": _order, "subscription": _subscription, "shipment": _shipment}
