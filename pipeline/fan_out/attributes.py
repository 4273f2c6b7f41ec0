"""A person's flat profile attributes, computed from all facts known of them.

Times are Unix seconds, money is minor units of the store's currency. What hooks cannot tell is left out.
A store's own counters (`num_orders`, `total_revenue`) and what we counted are both lower bounds: the larger counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.events.fields import parse_time_s
from pipeline.fan_out.facts import KnownFacts, current_values

Fields = Mapping[str, Any]

# A person with several subscriptions is in the best of their states.
_STATUSES_BEST_FIRST = (
    ("active", ("active", "renewing", "pending_renewal")),
    ("past_due", ("past_due", "unpaid", "unpaid_order_failed")),
    ("paused", ("suspended", "paused")),
    ("cancelled", ("cancelled",)),
    ("expired", ("expired",)),
)
_UNPAID_STATUSES = ("unpaid", "failed", "voided")


def build_attributes(facts: KnownFacts, store: str, currency: str) -> dict[str, Any]:
    """The attributes of a person of a store. Keys with nothing to say are absent."""
    kinds = _group_by_kind(facts)
    about = _fields_of_kind(facts, "customer")
    subscriptions, orders, received = (kinds.get(kind, []) for kind in ("subscription", "order", "gift_received"))
    found = {
        **_identity_attributes(about, received),
        **_subscription_attributes(subscriptions, about),
        **_order_attributes(orders, about, currency),
        **_payment_attributes(_fields_of_kind(facts, "payment")),
        **_shipment_attributes(kinds.get("shipment", [])),
        **_gift_attributes(about, orders, subscriptions, received),
        "created_at": _earliest(
            [about.get("registered_at"), *_collect(orders, "placed_at"), *_collect(subscriptions, "start_date")]
        ),
        "store": store,
        "source": "cratejoy",
        "is_test": bool(about.get("test")) and not about.get("real"),
    }
    return {key: value for key, value in found.items() if value is not None and value != ""}


def _identity_attributes(customer: Fields, received: list[Fields]) -> dict[str, Any]:
    told = {
        key: customer.get(key) for key in ("email", "first_name", "last_name", "phone", "country", "region", "city")
    }
    names = sorted(str(one["name"]) for one in received if one.get("name"))
    if names and not customer.get("first_name") and not customer.get("last_name"):
        # Whoever is known only as a recipient has the name the giver typed.
        first, _, last = names[-1].partition(" ")
        told |= {"first_name": first, "last_name": last.strip() or None}
    return told


def _subscription_attributes(subscriptions: list[Fields], customer: Fields) -> dict[str, Any]:
    if not subscriptions:
        return {"subscription_status": customer.get("store_subscription_status")}
    state = _best_status(subscriptions)
    active = [one for one in subscriptions if _best_status([one]) == "active"]
    main = max(active or subscriptions, key=lambda one: (one.get("start_date") or "", str(one.get("end_date"))))
    renewing = [one["end_date"] for one in active if one.get("autorenew") and one.get("end_date")]
    return {
        "subscription_status": state,
        "subscription_count": max(len(subscriptions), customer.get("num_subscriptions") or 0),
        "active_subscription_count": len(active),
        "subscription_plan": main.get("plan"),
        "subscription_box": main.get("box"),
        "subscription_term_months": main.get("term_months"),
        "is_prepaid": None if main.get("term_months") is None else main["term_months"] > 1,
        "subscription_started_at": parse_time_s(main.get("start_date")),
        "subscription_ends_at": None if active else parse_time_s(main.get("end_date")),
        "subscription_cancelled_at": None if active else _latest(_collect(subscriptions, "cancelled_at")),
        "next_renewal_at": _earliest(renewing),
        "renewal_count": _count_fields(subscriptions, "renewed:"),
        "failed_renewal_count": _count_fields(subscriptions, "failed:"),
    }


def _order_attributes(orders: list[Fields], customer: Fields, currency: str) -> dict[str, Any]:
    bought = [one for one in orders if one.get("financial_status") not in _UNPAID_STATUSES]
    spent = sum((one.get("total") or 0) - (one.get("refunded_amount") or 0) for one in bought)
    count = max(len(bought), customer.get("num_orders") or 0)
    value = max(spent, customer.get("total_revenue") or 0)
    if not orders and not count and not value:
        return {}
    placed = _collect(bought, "placed_at")
    return {
        "order_count": count,
        "lifetime_value": value,
        "average_order_value": value // count if count else None,
        "currency": currency,
        "first_order_at": _earliest(placed),
        "last_order_at": _latest(placed),
    }


def _payment_attributes(payment: Fields) -> dict[str, Any]:
    if "failed" not in payment:
        return {}
    return {"payment_failed": payment["failed"], "payment_failed_at": parse_time_s(payment.get("failed_at"))}


def _shipment_attributes(shipments: list[Fields]) -> dict[str, Any]:
    shipped = [one for one in shipments if one.get("status") == "shipped"]
    if not shipped:
        return {}
    last = max(shipped, key=lambda one: (one.get("shipped_at") or "", str(one.get("tracking_number"))))
    return {
        "boxes_shipped": len(shipped),
        "last_shipped_at": parse_time_s(last.get("shipped_at")),
        "last_tracking_number": last.get("tracking_number"),
        "last_tracking_url": last.get("tracking_url"),
    }


def _gift_attributes(
    customer: Fields, orders: list[Fields], subscriptions: list[Fields], received: list[Fields]
) -> dict[str, Any]:
    # One gift shows as its order and as its subscription, and either hook may be missing.
    by_order = sum(1 for one in orders if one.get("is_gift") and not one.get("is_renewal") and not one.get("redeemed"))
    given = max(by_order, sum(1 for one in subscriptions if one.get("is_gift")))
    names = sorted(str(one["giver_first_name"]) for one in received if one.get("giver_first_name"))
    found: dict[str, Any] = {"gift_giver": True, "gifts_sent_count": given} if given else {}
    if received or customer.get("gift_recipient"):
        found["gift_recipient"] = True
    return found | ({"gift_sender_first_name": names[-1]} if names else {})


def _best_status(subscriptions: list[Fields]) -> str:
    told = {one.get("status") for one in subscriptions}
    return next((name for name, words in _STATUSES_BEST_FIRST if told.intersection(words)), "none")


def _fields_of_kind(facts: KnownFacts, kind: str) -> Fields:
    return current_values(facts.get((kind, ""), {}))


def _group_by_kind(facts: KnownFacts) -> dict[str, list[Fields]]:
    """The fields of every subject, those of one kind in the order of their names."""
    kinds: dict[str, list[Fields]] = {}
    for key in sorted(facts):
        kinds.setdefault(key[0], []).append(current_values(facts[key]))
    return kinds


def _collect(models: list[Fields], name: str) -> list[str | None]:
    return [one.get(name) for one in models]


def _earliest(times: list[str | None]) -> int | None:
    return min((at for text in times if (at := parse_time_s(text)) is not None), default=None)


def _latest(times: list[str | None]) -> int | None:
    return max((at for text in times if (at := parse_time_s(text)) is not None), default=None)


def _count_fields(subscriptions: list[Fields], prefix: str) -> int:
    return sum(1 for one in subscriptions for name in one if name.startswith(prefix))
