"""A person's flat profile attributes, computed from all facts known of them.

Times are Unix seconds, money is minor units of the store's currency. What hooks cannot tell is left out.
A store's own counters (`num_orders`, `total_revenue`) and what we counted are both lower bounds: the larger counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.events.paths import seconds
from pipeline.fan_out.merge import Known, values

Fields = Mapping[str, Any]

# A person with several subscriptions is in the best of their states.
_STATES = (
    ("active", ("active", "renewing", "pending_renewal")),
    ("past_due", ("past_due", "unpaid", "unpaid_order_failed")),
    ("paused", ("suspended", "paused")),
    ("cancelled", ("cancelled",)),
    ("expired", ("expired",)),
)
_UNPAID = ("unpaid", "failed", "voided")


def attributes_of(known: Known, store: str, currency: str) -> dict[str, Any]:
    """The attributes of a person of a store. Keys with nothing to say are absent."""
    kinds = _by_kind(known)
    about = _one(known, "customer")
    subscriptions, orders, received = (kinds.get(kind, []) for kind in ("subscription", "order", "gift_received"))
    found = {
        **_identity(about, received),
        **_subscribing(subscriptions, about),
        **_ordering(orders, about, currency),
        **_paying(_one(known, "payment")),
        **_boxes(kinds.get("shipment", [])),
        **_gifts(about, orders, subscriptions, received),
        "created_at": _earliest(
            [about.get("registered_at"), *_of(orders, "placed_at"), *_of(subscriptions, "start_date")]
        ),
        "store": store,
        "source": "cratejoy",
        "is_test": bool(about.get("test")) and not about.get("real"),
    }
    return {key: value for key, value in found.items() if value is not None and value != ""}


def _identity(about: Fields, received: list[Fields]) -> dict[str, Any]:
    told = {key: about.get(key) for key in ("email", "first_name", "last_name", "phone", "country", "region", "city")}
    names = sorted(str(one["name"]) for one in received if one.get("name"))
    if names and not about.get("first_name") and not about.get("last_name"):
        # Whoever is known only as a recipient has the name the giver typed.
        first, _, last = names[-1].partition(" ")
        told |= {"first_name": first, "last_name": last.strip() or None}
    return told


def _subscribing(subscriptions: list[Fields], about: Fields) -> dict[str, Any]:
    if not subscriptions:
        return {"subscription_status": about.get("store_subscription_status")}
    state = _state(subscriptions)
    active = [one for one in subscriptions if _state([one]) == "active"]
    main = max(active or subscriptions, key=lambda one: (one.get("start_date") or "", str(one.get("end_date"))))
    renewing = [one["end_date"] for one in active if one.get("autorenew") and one.get("end_date")]
    return {
        "subscription_status": state,
        "subscription_count": max(len(subscriptions), about.get("num_subscriptions") or 0),
        "active_subscription_count": len(active),
        "subscription_plan": main.get("plan"),
        "subscription_box": main.get("box"),
        "subscription_term_months": main.get("term_months"),
        "is_prepaid": None if main.get("term_months") is None else main["term_months"] > 1,
        "subscription_started_at": seconds(main.get("start_date")),
        "subscription_ends_at": None if active else seconds(main.get("end_date")),
        "subscription_cancelled_at": None if active else _latest(_of(subscriptions, "cancelled_at")),
        "next_renewal_at": _earliest(renewing),
        "renewal_count": _counted(subscriptions, "renewed:"),
        "failed_renewal_count": _counted(subscriptions, "failed:"),
    }


def _ordering(orders: list[Fields], about: Fields, currency: str) -> dict[str, Any]:
    bought = [one for one in orders if one.get("financial_status") not in _UNPAID]
    spent = sum((one.get("total") or 0) - (one.get("refunded_amount") or 0) for one in bought)
    count = max(len(bought), about.get("num_orders") or 0)
    value = max(spent, about.get("total_revenue") or 0)
    if not orders and not count and not value:
        return {}
    placed = _of(bought, "placed_at")
    return {
        "order_count": count,
        "lifetime_value": value,
        "average_order_value": value // count if count else None,
        "currency": currency,
        "first_order_at": _earliest(placed),
        "last_order_at": _latest(placed),
    }


def _paying(payment: Fields) -> dict[str, Any]:
    if "failed" not in payment:
        return {}
    return {"payment_failed": payment["failed"], "payment_failed_at": seconds(payment.get("failed_at"))}


def _boxes(shipments: list[Fields]) -> dict[str, Any]:
    shipped = [one for one in shipments if one.get("status") == "shipped"]
    if not shipped:
        return {}
    last = max(shipped, key=lambda one: (one.get("shipped_at") or "", str(one.get("tracking_number"))))
    return {
        "boxes_shipped": len(shipped),
        "last_shipped_at": seconds(last.get("shipped_at")),
        "last_tracking_number": last.get("tracking_number"),
        "last_tracking_url": last.get("tracking_url"),
    }


def _gifts(about: Fields, orders: list[Fields], subscriptions: list[Fields], received: list[Fields]) -> dict[str, Any]:
    # One gift shows as its order and as its subscription, and either hook may be missing.
    by_order = sum(1 for one in orders if one.get("is_gift") and not one.get("is_renewal") and not one.get("redeemed"))
    given = max(by_order, sum(1 for one in subscriptions if one.get("is_gift")))
    names = sorted(str(one["giver_first_name"]) for one in received if one.get("giver_first_name"))
    found: dict[str, Any] = {"gift_giver": True, "gifts_sent_count": given} if given else {}
    if received or about.get("gift_recipient"):
        found["gift_recipient"] = True
    return found | ({"gift_sender_first_name": names[-1]} if names else {})


def _state(subscriptions: list[Fields]) -> str:
    told = {one.get("status") for one in subscriptions}
    return next((name for name, words in _STATES if told.intersection(words)), "none")


def _one(known: Known, kind: str) -> Fields:
    return values(known.get((kind, ""), {}))


def _by_kind(known: Known) -> dict[str, list[Fields]]:
    """The fields of every subject, those of one kind in the order of their names."""
    kinds: dict[str, list[Fields]] = {}
    for key in sorted(known):
        kinds.setdefault(key[0], []).append(values(known[key]))
    return kinds


def _of(models: list[Fields], name: str) -> list[str | None]:
    return [one.get(name) for one in models]


def _earliest(times: list[str | None]) -> int | None:
    return min((at for text in times if (at := seconds(text)) is not None), default=None)


def _latest(times: list[str | None]) -> int | None:
    return max((at for text in times if (at := seconds(text)) is not None), default=None)


def _counted(subscriptions: list[Fields], prefix: str) -> int:
    return sum(1 for one in subscriptions for name in one if name.startswith(prefix))
