"""Reads a shipment of Cratejoy: rows of v1.1 lists and objects of v1, as sent or as loaded by their schema.

The schemas take care of the spellings: `end` and `end_date`, ISO texts and epoch milliseconds, words and numbers of
statuses, both shapes of variants, `instance` and `product_instance`. What cannot be read is a reason, never an
exception: one bad shipment does not block a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from pipeline.core.fulfilment import BillingType
from pipeline.events.fields import parse_time_us
from pipeline.fulfilment.rules.shipment import (
    Batch,
    Buyer,
    Item,
    PaidOrder,
    RawAddress,
    Shipment,
    Subscription,
)
from schemas import InvalidBody, load

_ADDRESS_PARTS = ("to", "company", "street", "unit", "city", "state", "zip_code", "country")
# Fields whose loss would change what is sent, to whom, or whether: with one of them unreadable the box is held.
STRICT_PATHS = frozenset(
    [
        "id",
        "status",
        "is_test",
        "adjusted_ordered_at",
        "batch.end",
        "ship_address",
        *(f"ship_address.{part}" for part in _ADDRESS_PARTS),
        "fulfillments",
        "fulfillments.id",
        "fulfillments.status",
        "fulfillments.subscription_id",
        "fulfillments.order",
        "fulfillments.order.id",
        "fulfillments.order.financial_status",
        "fulfillments.order.is_gift",
        "fulfillments.product_instance",
        "fulfillments.product_instance.id",
        "fulfillments.product_instance.sku",
    ]
)
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A shipment that cannot be read. `fields`: (path, message) without values; `id`: None if unreadable too."""

    id: int | None
    fields: tuple[tuple[str, str], ...]


def read_shipment(
    body: object, billing_type: BillingType | None = None, *, is_whole: bool = False
) -> Shipment | Unreadable:
    """Read one shipment. `billing_type`: the one that the list was asked for. `is_whole`: it was read by id in v1."""
    try:
        loaded = load("shipment", body, STRICT_PATHS)
    except InvalidBody as error:
        return Unreadable(_read_id(body), tuple((path, ", ".join(error.errors[path])) for path in sorted(error.errors)))
    data = loaded.data
    if missing := [name for name in ("id", "status") if data.get(name) is None]:
        return Unreadable(data.get("id"), tuple((name, "is missing") for name in missing))
    items = data.get("fulfillments")
    if "fulfillments" in data.get("links", {}) or any(item.get("id") is None for item in items or ()):
        return Unreadable(data["id"], (("fulfillments", "are not embedded"),))
    return _build_shipment(data, billing_type, is_whole=is_whole)


def _build_shipment(data: Data, billing_type: BillingType | None, *, is_whole: bool) -> Shipment:
    return Shipment(
        id=data["id"],
        status=data["status"],
        is_whole=is_whole,
        billing_type=billing_type or _read_billing_type(data.get("billing_type")),
        is_ecom=data.get("is_ecom"),
        is_test=bool(data.get("is_test")),
        is_gift=bool(data.get("is_gift")),
        adjusted_ordered_at=parse_time_us(data.get("adjusted_ordered_at")),
        created_at=parse_time_us(data.get("created_at")),
        shipped_at=parse_time_us(data.get("shipped_at")),
        tracking_number=data.get("tracking_number") or "",
        sub_cycle=data.get("sub_cycle"),
        batch=_build_batch(data.get("batch")),
        batch_id=data.get("batch_id"),
        customer_id=data.get("customer_id") or _get(data, "customer", "id"),
        ship_to=_build_address(data.get("ship_address")),
        items=tuple(_build_item(item) for item in data.get("fulfillments") or ()),
        subscriptions=_build_subscriptions(data),
    )


def _build_batch(data: Data | None) -> Batch | None:
    return Batch(data.get("id"), parse_time_us(data.get("start")), parse_time_us(data.get("end"))) if data else None


def _build_address(data: Data | None) -> RawAddress | None:
    """Return the address, or None if only a reference to one was sent."""
    if not data or not any(data.get(name) for name in ("to", "street", "city", "zip_code", "country")):
        return None
    return RawAddress(
        to=data.get("to") or "",
        company=data.get("company") or "",
        street=data.get("street") or "",
        unit=data.get("unit") or "",
        city=data.get("city") or "",
        state=data.get("state") or "",
        zip=data.get("zip_code") or "",
        country=data.get("country") or "",
        phone=data.get("phone_number") or "",
    )


def _build_item(data: Data) -> Item:
    instance = data.get("product_instance") or {}
    product = instance.get("product") or {}
    order = data.get("order")
    return Item(
        id=data["id"],
        status=data.get("status") or "",
        subscription_id=data.get("subscription_id"),
        instance_id=instance.get("id"),
        sku=instance.get("sku") or product.get("sku") or "",
        name=product.get("name") or instance.get("name") or "",
        variants=tuple(
            (variant.get("name") or "", variant.get("value") or "")
            for variant in instance.get("variants") or ()
            if variant.get("value")
        ),
        is_gift=bool(instance.get("gift")),
        price=instance.get("price") or 0,
        shipping=data.get("shipping") or 0,
        tax=data.get("tax") or 0,
        order=_build_order(order) if order and order.get("id") is not None else None,
    )


def _build_order(data: Data) -> PaidOrder:
    info, received = data.get("order_gift_info") or {}, data.get("received_gift") or {}
    customer = data.get("customer") or {}
    first_and_last = " ".join(filter(None, (customer.get("first_name"), customer.get("last_name"))))
    return PaidOrder(
        id=data["id"],
        financial_status=data.get("financial_status") or "",
        placed_at=parse_time_us(data.get("placed_at")),
        is_renewal=bool(data.get("is_renewal")),
        is_gift=bool(data.get("is_gift")),
        total_shipping=data.get("total_shipping") or 0,
        # Today's place first, then v1's own field, then Gifting 1.0's.
        gift_message=info.get("gift_message") or data.get("gift_message") or received.get("message") or "",
        gift_recipient_email=info.get("gift_recipient_email") or "",
        buyer=Buyer(
            id=customer.get("id") or data.get("customer_id"),
            name=customer.get("name") or first_and_last,
            email=customer.get("email") or "",
        ),
        subscriptions=_build_subscriptions(data),
    )


def _build_subscriptions(data: Data) -> tuple[Subscription, ...]:
    return tuple(
        Subscription(one["id"], one.get("status") or "", parse_time_us(one.get("start_date")))
        for one in data.get("subscriptions") or ()
        if one.get("id") is not None
    )


def _read_billing_type(word: str | None) -> BillingType | None:
    return cast("BillingType", word) if word in get_args(BillingType) else None


def _get(data: Data, *names: str) -> Any:
    found: Any = data
    for name in names:
        found = (found or {}).get(name)
    return found


def _read_id(body: object) -> int | None:
    id_ = body.get("id") if isinstance(body, dict) else None
    if isinstance(id_, str) and id_.isascii() and id_.isdigit():
        id_ = int(id_)
    return id_ if type(id_) is int and id_ >= 0 else None
