"""What an event teaches us about a person, as facts that can be merged in any order.

A fact is a field of a subject of a person, known as of a moment. The newest wins, field by field (`merge.py`), so a
profile never depends on the order in which hooks are processed. Counting is done by naming: each renewal is a field
of its own, so that hearing of it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.events.happening import Happening
from pipeline.events.paths import iso
from pipeline.events.table import EventRow
from pipeline.fan_out.gifts import Gift
from pipeline.fan_out.people import Customer, orders_in
from pipeline.fan_out.tracking import tracking_url

_CUSTOMER = ("first_name", "last_name", "name", "country", "num_orders", "num_subscriptions", "total_revenue")
_ORDER = ("placed_at", "status", "financial_status", "total", "refunded_amount", "is_renewal", "is_gift")
_SUBSCRIPTION = ("status", "start_date", "end_date", "autorenew")
_SHIPMENT = ("status", "shipped_at", "tracking_number")
_REDEEMED = "received_gift"


@dataclass(frozen=True, slots=True)
class Fact:
    """Fields of one subject: kind "customer", "order", "subscription", "shipment", "payment" or "gift_received"."""

    kind: str
    subject: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """One hook as the facts see it."""

    row: EventRow
    data: Mapping[str, Any]
    happening: Happening
    gift: Gift | None
    is_test: bool

    @property
    def mark(self) -> dict[str, Any]:
        """Says of a person that test objects, or real ones, tell of them."""
        return {"test" if self.is_test else "real": True}


def customer_facts(told: Telling, customer: Customer) -> list[Fact]:
    """What the event says of its customer."""
    row, data = told.row, told.data
    facts = [Fact("customer", "", _about(told, customer))]
    if row.name != "checkout_failed":  # its order may never have been stored
        facts += [_order(order) for order in _placed(row, data)]
    if row.subject == "subscription" and data.get("id") is not None:
        facts.append(_subscription(told))
    if row.subject == "shipment" and data.get("id") is not None:
        facts.append(shipment_fact(data))
    payment = _payment(told)
    return [*facts, Fact("payment", "", payment)] if payment else facts


def recipient_facts(told: Telling, gift: Gift, subject: str) -> list[Fact]:
    """What the event says of the recipient of its gift. `subject` names the gift, e.g. "order:7093400015"."""
    given = {"giver_first_name": gift.giver_first_name, "name": gift.name}
    facts = [
        Fact("customer", "", told.mark),
        Fact("gift_received", subject, {key: value for key, value in given.items() if value} or {"known": True}),
    ]
    if told.row.subject == "shipment" and told.data.get("id") is not None:
        facts.append(shipment_fact(told.data))
    return facts


def shipment_fact(data: Mapping[str, Any]) -> Fact:
    """A box: whether it left, when, and where to follow it."""
    link = {"tracking_url": url} if (url := tracking_url(data)) else {}
    return Fact("shipment", str(data["id"]), _given(data, _SHIPMENT) | link)


def _about(told: Telling, customer: Customer) -> dict[str, Any]:
    about = _given(customer.fields, _CUSTOMER) | told.mark
    if customer.email:
        about["email"] = customer.email
    if customer.fields.get("subscription_status"):
        about["store_subscription_status"] = customer.fields["subscription_status"]
    about |= _place(customer.fields)
    if told.row.name == "customer_new":
        about["registered_at"] = iso(told.happening.occurred_at)
    gift = told.gift
    if gift is not None and (gift.redeemed or (gift.email and gift.email == customer.email)):
        about["gift_recipient"] = True
    return about


def _place(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Region, city and phone: from the primary address if shown, else the region of "TX, US"."""
    addresses = [one for one in fields.get("addresses") or () if isinstance(one, dict)]
    if addresses:
        first = addresses[0]
        place = {"region": first.get("state"), "city": first.get("city"), "phone": first.get("phone_number")}
        return {key: value for key, value in place.items() if value}
    region, comma, _ = str(fields.get("location") or "").rpartition(",")
    return {"region": region.strip()} if comma and region.strip() else {}


def _placed(row: EventRow, data: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    failed = row.subject == "transaction" and (data.get("transaction") or {}).get("result") == "failed"
    return () if failed else [order for order in orders_in(row, data) if order.get("id") is not None]


def _order(order: Mapping[str, Any]) -> Fact:
    fields = _given(order, _ORDER)
    if order.get("order_gift_info") or order.get("sent_gift"):
        fields["is_gift"] = True
    if order.get(_REDEEMED):
        fields["redeemed"] = True
    return Fact("order", str(order["id"]), fields)


def _subscription(told: Telling) -> Fact:
    data, gift = told.data, told.gift
    fields = _given(data, _SUBSCRIPTION)
    term, product = data.get("term") or {}, data.get("product") or {}
    fields |= {name: value for name, value in (("plan", term.get("name")), ("box", product.get("name"))) if value}
    if term.get("num_cycles") is not None:
        fields["term_months"] = term["num_cycles"]
    if gift is not None and not gift.redeemed:
        fields["is_gift"] = True
    news = {
        "subscription_cancelled": ("cancelled_at", iso(told.happening.occurred_at)),
        "subscription_renewed": (f"renewed:{data.get('end_date')}", True),
        "subscription_renew_failed": (f"failed:{told.happening.key}", True),
    }.get(told.row.name)
    return Fact("subscription", str(data["id"]), fields | ({news[0]: news[1]} if news else {}))


def _payment(told: Telling) -> dict[str, Any]:
    row, data = told.row, told.data
    result = (data.get("transaction") or {}).get("result") if row.subject == "transaction" else None
    if row.name == "subscription_renew_failed" or result == "failed":
        return {"failed": True, "failed_at": iso(told.happening.occurred_at)}
    if row.name == "subscription_renewed" or result == "captured":
        return {"failed": False}
    return {}


def _given(model: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Only what the body has: an absent or null field is no knowledge and overwrites none."""
    return {key: model[key] for key in keys if model.get(key) is not None}
