"""Facts about people: what an event says about a person, in a form that can be merged in any order.

A fact has fields of one subject of a person, as of a time. Field by field the newest value wins, so a profile never
depends on the order in which hooks are processed. What is counted has a field of its own for each, such as each
renewal, so that a repeated hook changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pipeline.events.catalogue import API_OBJECTS, EventRow
from pipeline.events.fields import format_time, get_path
from pipeline.events.identity import EventIdentity
from pipeline.fan_out.boxes import read_variants
from pipeline.fan_out.consent import ONLY_REGISTERED, find_source, read_source
from pipeline.fan_out.customers import Customer, find_accepts_marketing, get_orders
from pipeline.fan_out.gifts import Gift
from pipeline.fan_out.surveys import read_answers

TimestampedFields = dict[str, list[Any]]  # {field: [as_of µs, value]}
KnownFacts = dict[tuple[str, str], TimestampedFields]  # {(kind, subject): …}: all facts of one person
_CUSTOMER_FIELDS = ("first_name", "last_name", "name", "country", "num_orders", "num_subscriptions", "total_revenue")
_ORDER_FIELDS = ("placed_at", "status", "financial_status", "total", "refunded_amount", "is_renewal", "is_gift")
_SUBSCRIPTION_FIELDS = ("status", "start_date", "end_date", "autorenew")
_SHIPMENT_FIELDS = ("status", "shipped_at", "tracking_number")
_REDEEMED_GIFT = "received_gift"
_TRACKING_PAGES = {
    "usps": "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    "ups": "https://www.ups.com/track?tracknum={}",
    "fedex": "https://www.fedex.com/fedextrack/?trknbr={}",
    "dhl": "https://www.dhl.com/en/express/tracking.html?AWB={}",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Fields of one subject.

    Its kind is "customer", "order", "subscription", "checkout", "shipment", "survey", "payment" or "gift_received".
    """

    kind: str
    subject: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FactSource:
    """All that the facts of one hook are derived from."""

    row: EventRow
    data: Mapping[str, Any]
    identity: EventIdentity
    gift: Gift | None
    is_test: bool

    @property
    def mark(self) -> dict[str, Any]:
        """The field that says that a test object, or a real one, names the person."""
        return {"test" if self.is_test else "real": True}


def merge_fact(facts: KnownFacts, fact: Fact, as_of: int) -> bool:
    """Merge a fact into the known facts of a person, in place; return whether anything changed. `as_of` is in µs."""
    known = facts.setdefault((fact.kind, fact.subject), {})
    changed = False
    for name, value in fact.fields.items():
        if name not in known or _is_newer(as_of, value, *known[name]):
            known[name] = [as_of, value]
            changed = True
    return changed


def current_values(stamped: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Return the fields without their times."""
    return {name: pair[1] for name, pair in stamped.items()}


def newest_time_us(facts: KnownFacts) -> int:
    """Return the newest time (µs) of any known field, 0 for none."""
    return max((pair[0] for stamped in facts.values() for pair in stamped.values()), default=0)


def _is_newer(as_of: int, value: Any, current_as_of: int, current: Any) -> bool:
    if as_of != current_as_of:
        return as_of > current_as_of
    return json.dumps(value, sort_keys=True) > json.dumps(current, sort_keys=True)


def customer_facts(source: FactSource, customer: Customer) -> list[Fact]:
    """Return what the event says about its customer."""
    row, data = source.row, source.data
    facts = [Fact("customer", "", _customer_fields(source, customer))]
    if row.name != "checkout_failed":  # the store may never have saved its order
        facts += [_order_fact(order) for order in _placed_orders(row, data)]
    elif source_text := read_source(get_path(data, "order") or {}):
        facts.append(Fact("checkout", "", {"source": source_text}))
    if row.subject == "subscription" and data.get("id") is not None:
        facts.append(_subscription_fact(source))
    if row.subject == "shipment" and data.get("id") is not None:
        facts.append(shipment_fact(data))
    if row.subject == "survey" and data.get("subscription_id") is not None:
        facts.append(Fact("survey", str(data["subscription_id"]), read_answers(data)))
    payment = _payment_fields(source)
    return [*facts, Fact("payment", "", payment)] if payment else facts


def recipient_facts(source: FactSource, gift: Gift, subject: str) -> list[Fact]:
    """Return what the event says about its gift recipient. `subject` names the gift, such as "order:7093400015"."""
    given = {"giver_first_name": gift.giver_first_name, "name": gift.name, "source": gift.source}
    facts = [
        Fact("customer", "", source.mark),
        Fact("gift_received", subject, {key: value for key, value in given.items() if value} or {"known": True}),
    ]
    if source.row.subject == "shipment" and source.data.get("id") is not None:
        facts.append(shipment_fact(source.data))
    return facts


def shipment_fact(data: Mapping[str, Any]) -> Fact:
    """Return the fact about a box: whether and when it was shipped, and where to track it."""
    link = {"tracking_url": url} if (url := tracking_url(data)) else {}
    return Fact("shipment", str(data["id"]), _present_fields(data, _SHIPMENT_FIELDS) | link)


def _customer_fields(source: FactSource, customer: Customer) -> dict[str, Any]:
    fields = _present_fields(customer.fields, _CUSTOMER_FIELDS) | source.mark
    if customer.email:
        fields["email"] = customer.email
    if customer.fields.get("subscription_status"):
        fields["store_subscription_status"] = customer.fields["subscription_status"]
    fields |= _address_fields(customer.fields)
    accepts = find_accepts_marketing(source.row, source.data, customer)
    if accepts is not None:
        fields["accepts_marketing"] = {"value": accepts, "from": source.row.name}
    if source.row.name == API_OBJECTS["customers"].name and customer.fields.get("num_orders") == 0:
        fields[ONLY_REGISTERED] = True
    if source.row.name == "customer_new":
        fields["registered_at"] = format_time(source.identity.occurred_at)
    gift = source.gift
    if gift is not None and (gift.is_redeemed or (gift.email and gift.email == customer.email)):
        fields["gift_recipient"] = True
    return fields


def _address_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return region, city and phone of the first address, or else the region of a location such as "TX, US"."""
    addresses = [address for address in fields.get("addresses") or () if isinstance(address, dict)]
    if addresses:
        first = addresses[0]
        found = {"region": first.get("state"), "city": first.get("city"), "phone": first.get("phone_number")}
        return {key: value for key, value in found.items() if value}
    region, comma, _ = str(fields.get("location") or "").rpartition(",")
    return {"region": region.strip()} if comma and region.strip() else {}


def _placed_orders(row: EventRow, data: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    failed = row.subject == "transaction" and (data.get("transaction") or {}).get("result") == "failed"
    return () if failed else [order for order in get_orders(row, data) if order.get("id") is not None]


def _order_fact(order: Mapping[str, Any]) -> Fact:
    fields = _present_fields(order, _ORDER_FIELDS)
    if order.get("order_gift_info") or order.get("sent_gift"):
        fields["is_gift"] = True
    if order.get(_REDEEMED_GIFT):
        fields["redeemed"] = True
    return Fact("order", str(order["id"]), fields | _source_field(order))


def _source_field(model: Mapping[str, Any]) -> dict[str, str]:
    source = find_source(model)
    return {} if source is None else {"source": source}


def _subscription_fact(source: FactSource) -> Fact:
    data, gift = source.data, source.gift
    fields = _present_fields(data, _SUBSCRIPTION_FIELDS)
    term, product = data.get("term") or {}, data.get("product") or {}
    fields |= {name: value for name, value in (("plan", term.get("name")), ("box", product.get("name"))) if value}
    if term.get("num_cycles") is not None:
        fields["term_months"] = term["num_cycles"]
    fields |= _source_field(data)
    fields |= _variant_fields(data.get("product_instance"))
    if gift is not None and not gift.is_redeemed:
        fields["is_gift"] = True
    by_event = {
        "subscription_cancelled": ("cancelled_at", format_time(source.identity.occurred_at)),
        "subscription_renewed": (f"renewed:{data.get('end_date')}", True),
        "subscription_renew_failed": (f"failed:{source.identity.key}", True),
    }
    if source.row.name in by_event:
        name, value = by_event[source.row.name]
        fields[name] = value
    return Fact("subscription", str(data["id"]), fields)


def _variant_fields(instance: object) -> dict[str, Any]:
    """Which product instance is subscribed to, and its variants if the body shows them: all in one field, as another
    instance may have other types.
    """
    if not isinstance(instance, dict):
        return {}
    number, variants = instance.get("id"), read_variants(instance)
    known = {} if number is None else {"instance": number}
    return known if variants is None else {**known, "variants": {"of": number, "values": variants}}


def _payment_fields(source: FactSource) -> dict[str, Any]:
    row, data = source.row, source.data
    result = (data.get("transaction") or {}).get("result") if row.subject == "transaction" else None
    if row.name == "subscription_renew_failed" or result == "failed":
        return {"failed": True, "failed_at": format_time(source.identity.occurred_at)}
    if row.name == "subscription_renewed" or result == "captured":
        return {"failed": False}
    return {}


def _present_fields(model: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields that the body has: an absent or null field says nothing and overwrites nothing."""
    return {key: model[key] for key in keys if model.get(key) is not None}


def tracking_url(shipment: Mapping[str, Any]) -> str | None:
    """Return a link for the shipment's tracking number, or None if neither body nor carrier gives one."""
    given = shipment.get("tracking_link")
    if isinstance(given, str) and given.startswith(("https://", "http://")):
        return given
    number, carrier = shipment.get("tracking_number"), _find_carrier(shipment)
    if not number or carrier not in _TRACKING_PAGES:
        return None
    return _TRACKING_PAGES[carrier].format(quote(str(number), safe=""))


def _find_carrier(shipment: Mapping[str, Any]) -> str:
    labels = [label for label in shipment.get("labels") or () if isinstance(label, dict) and not label.get("is_void")]
    named = shipment.get("carrier_name") or next((label["carrier"] for label in labels if label.get("carrier")), "")
    return str(named).strip().lower()
