"""Event data for platforms: the customer's copy is the whole model, a gift recipient's an allow-list.

A recipient's copy has no price, no state of a payment, no address (the box may go to the giver first), and of the
giver only the first name. It is built from an allow-list, so that a new field of Cratejoy's never leaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.events.catalogue import EventRow
from pipeline.events.fields import get_path
from pipeline.fan_out.boxes import build_boxes
from pipeline.fan_out.customers import get_fulfillments
from pipeline.fan_out.gifts import Gift

_ORDER_FIELDS = ("id", "status", "fulfillment_status", "placed_at", "is_renewal", "is_gift", "is_test", "type")
_SUBSCRIPTION_FIELDS = ("id", "start_date", "end_date", "is_test", "type")
_SHIPMENT_FIELDS = ("id", "status", "tracking_number", "shipped_at", "adjusted_ordered_at", "is_test", "type")
_PRODUCT_FIELDS = ("id", "name", "sku")
_SHARED_STATUSES = ("active", "cancelled", "expired")  # the others reveal how the giver's payment goes


def build_customer_payload(row: EventRow, data: Mapping[str, Any], store: str, currency: str) -> dict[str, Any]:
    """Return event data for the customer: the common fields, and the models of the body under their names."""
    models = {row.subject: data} if row.subject and not row.at else dict(data)
    return _common_fields(row, data, store, "customer") | {"currency": currency} | models


def build_recipient_payload(row: EventRow, data: Mapping[str, Any], store: str, gift: Gift) -> dict[str, Any]:
    """Return event data for a gift recipient."""
    card = {"message": gift.message, "recipient_name": gift.name, "giver_first_name": gift.giver_first_name}
    subject = row.subject or ""
    model = _PAYLOAD_BUILDERS[subject](data)
    return _common_fields(row, data, store, "gift_recipient") | {"is_gift": True, "gift": card, subject: model}


def _common_fields(row: EventRow, data: Mapping[str, Any], store: str, role: str) -> dict[str, Any]:
    subject_id = get_path(data, f"{row.at}.id" if row.at else "id")
    boxes = build_boxes(row, data)
    common = {"subject": row.subject, "subject_id": subject_id, "store": store, "role": role}
    return common | ({"boxes": boxes} if boxes else {})


def _order_payload(data: Mapping[str, Any]) -> dict[str, Any]:
    products = data.get("products")
    listed = [_pick(item, _PRODUCT_FIELDS) for item in products or () if isinstance(item, dict)]
    return _pick(data, _ORDER_FIELDS) | ({"products": listed} if listed else {})


def _subscription_payload(data: Mapping[str, Any]) -> dict[str, Any]:
    status = {"status": data["status"]} if data.get("status") in _SHARED_STATUSES else {}
    box = {"product": _pick(data["product"], _PRODUCT_FIELDS)} if isinstance(data.get("product"), dict) else {}
    boxes = get_path(data, "term.num_cycles")
    return _pick(data, _SUBSCRIPTION_FIELDS) | status | box | ({"boxes": boxes} if boxes is not None else {})


def _shipment_payload(data: Mapping[str, Any]) -> dict[str, Any]:
    boxes = [_box_payload(item) for item in get_fulfillments(data)]
    return _pick(data, _SHIPMENT_FIELDS) | ({"boxes": boxes} if boxes else {})


def _box_payload(fulfillment: Mapping[str, Any]) -> dict[str, Any]:
    number, of = fulfillment.get("cycle_number"), fulfillment.get("total_cycles")
    # Cycles count from 0; -1 marks a box the store's staff added.
    place = {"number": number + 1, "of": of} if isinstance(number, int) and number >= 0 else {}
    instance = fulfillment.get("product_instance")
    named = _pick(instance.get("product") or instance, _PRODUCT_FIELDS) if isinstance(instance, dict) else {}
    return place | named


def _pick(model: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: model[key] for key in keys if key in model}


_PAYLOAD_BUILDERS = {"order": _order_payload, "subscription": _subscription_payload, "shipment": _shipment_payload}
