"""Computes a person's flat profile attributes from all known facts about them.

Times are Unix seconds, money is in minor units of the store's currency. What no hook reports is left out. Both the
store's own counters (`num_orders`, `total_revenue`) and our counts are lower bounds, so the larger of them is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.events.fields import parse_time_s
from pipeline.fan_out.consent import ConsentRules
from pipeline.fan_out.facts import KnownFacts, current_values
from pipeline.fan_out.rest import NO_REST, Rest
from pipeline.fan_out.surveys import choose_answers

Fields = Mapping[str, Any]

# A person with several subscriptions has the best of their states.
_STATUSES_BEST_FIRST = (
    ("active", ("active", "renewing", "pending_renewal")),
    ("past_due", ("past_due", "unpaid", "unpaid_order_failed")),
    ("paused", ("suspended", "paused")),
    ("cancelled", ("cancelled",)),
    ("expired", ("expired",)),
)
_UNPAID_STATUSES = ("unpaid", "failed", "voided")

RENEWED, RENEWAL_FAILED = "renewed:", "failed:"  # what the names of a subscription's counted fields begin with


def build_attributes(
    facts: KnownFacts, store: str, currency: str, rules: ConsentRules, rest: Rest = NO_REST
) -> dict[str, Any]:
    """Return the attributes of a person of a store. Unknown and empty attributes are absent.

    `rest`: what is known of the person's facts that are not among `facts`; these lead every ranking. A giver whom the
    store's rules protect is not named.
    """
    kinds = _group_by_kind(facts)
    customer = _fields_of_kind(facts, "customer")
    subscriptions, orders, received = (kinds.get(kind, []) for kind in ("subscription", "order", "gift_received"))
    found = {
        **_identity_attributes(customer, received),
        **_subscription_attributes(subscriptions, customer, rest),
        **_order_attributes(orders, customer, currency, rest),
        **_payment_attributes(_fields_of_kind(facts, "payment")),
        **_shipment_attributes(kinds.get("shipment", []), rest),
        **_gift_attributes(customer, orders, subscriptions, _fields_by_subject(facts, "gift_received"), rules, rest),
        **_survey_attributes(facts),
        "accepts_marketing": (customer.get("accepts_marketing") or {}).get("value"),
        "created_at": _earliest(
            [customer.get("registered_at"), *_collect(orders, "placed_at"), *_collect(subscriptions, "start_date")]
        ),
        "store": store,
        "source": "cratejoy",
        "is_test": bool(customer.get("test")) and not customer.get("real"),
    }
    return {key: value for key, value in found.items() if value is not None and value != ""}


def _identity_attributes(customer: Fields, received: list[Fields]) -> dict[str, Any]:
    attributes = {
        key: customer.get(key) for key in ("email", "first_name", "last_name", "phone", "country", "region", "city")
    }
    names = sorted(str(gift["name"]) for gift in received if gift.get("name"))
    if names and not customer.get("first_name") and not customer.get("last_name"):
        # A person known only as a recipient gets the name that the giver typed.
        first, _, last = names[-1].partition(" ")
        attributes |= {"first_name": first, "last_name": last.strip() or None}
    return attributes


def is_active(subscription: Fields) -> bool:
    """Whether a subscription is active."""
    return _best_status([subscription.get("status")]) == "active"


def rank_subscription(subscription: Fields) -> tuple[str, str]:
    """The newest subscription has the largest of these."""
    return subscription.get("start_date") or "", str(subscription.get("end_date"))


def _subscription_attributes(subscriptions: list[Fields], customer: Fields, rest: Rest) -> dict[str, Any]:
    if not subscriptions:
        return {"subscription_status": customer.get("store_subscription_status")}
    not_loaded = {status: number for (status,), number in rest.list_counts("subscription", "status")}
    active = [item for item in subscriptions if is_active(item)]
    main = max(active or subscriptions, key=rank_subscription)
    renewing = [item["end_date"] for item in active if item.get("autorenew") and item.get("end_date")]
    return {
        "subscription_status": _best_status([*(item.get("status") for item in subscriptions), *not_loaded]),
        "subscription_count": max(
            len(subscriptions) + rest.count("subscription"), customer.get("num_subscriptions") or 0
        ),
        "active_subscription_count": len(active)
        + sum(number for status, number in not_loaded.items() if is_active({"status": status})),
        "subscription_plan": main.get("plan"),
        "subscription_box": main.get("box"),
        "subscription_term_months": main.get("term_months"),
        "is_prepaid": None if main.get("term_months") is None else main["term_months"] > 1,
        "subscription_started_at": parse_time_s(main.get("start_date")),
        "subscription_ends_at": None if active else parse_time_s(main.get("end_date")),
        "subscription_cancelled_at": None if active else _latest(_collect(subscriptions, "cancelled_at")),
        "next_renewal_at": _earliest(renewing),
        "renewal_count": _count_fields(subscriptions, RENEWED) + rest.count("subscription", "renewed"),
        "failed_renewal_count": _count_fields(subscriptions, RENEWAL_FAILED) + rest.count("subscription", "failed"),
        **_variant_attributes(main),
    }


def _variant_attributes(subscription: Fields) -> dict[str, Any]:
    """The variants of what is subscribed to; none while those known are of the product instance before."""
    variants, instance = subscription.get("variants") or {}, subscription.get("instance")
    is_current = instance is None or variants.get("of") in (None, instance)
    return {f"variant_{slug}": value for slug, value in variants.get("values", {}).items() if is_current}


def _survey_attributes(facts: KnownFacts) -> dict[str, Any]:
    answers = choose_answers(_fields_by_subject(facts, "survey"), _fields_by_subject(facts, "subscription"))
    return {f"survey_{slug}": answer for slug, answer in answers.items()}


def is_bought(order: Fields) -> bool:
    """Whether an order counts as paid."""
    return order.get("financial_status") not in _UNPAID_STATUSES


def get_spent(order: Fields) -> Any:
    """What a paid order brought, in minor units."""
    return (order.get("total") or 0) - (order.get("refunded_amount") or 0)


def _order_attributes(orders: list[Fields], customer: Fields, currency: str, rest: Rest) -> dict[str, Any]:
    bought = [order for order in orders if is_bought(order)]
    spent = sum(get_spent(order) for order in bought) + rest.count("order", "spent")
    count = max(len(bought) + rest.count("order", "bought"), customer.get("num_orders") or 0)
    value = max(spent, customer.get("total_revenue") or 0)
    if not orders and not rest.count("order") and not count and not value:
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


def is_shipped(box: Fields) -> bool:
    """Whether a box was shipped."""
    return bool(box.get("status") == "shipped")


def rank_box(box: Fields) -> tuple[str, str]:
    """The box that was shipped last has the largest of these."""
    return box.get("shipped_at") or "", str(box.get("tracking_number"))


def _shipment_attributes(shipments: list[Fields], rest: Rest) -> dict[str, Any]:
    shipped = [box for box in shipments if is_shipped(box)]
    if not shipped:
        return {}
    last = max(shipped, key=rank_box)
    return {
        "boxes_shipped": len(shipped) + rest.count("shipment", "shipped"),
        "last_shipped_at": parse_time_s(last.get("shipped_at")),
        "last_tracking_number": last.get("tracking_number"),
        "last_tracking_url": last.get("tracking_url"),
    }


def is_given(order: Fields) -> bool:
    """Whether an order is the first of a gift that its customer gives."""
    return bool(order.get("is_gift") and not order.get("is_renewal") and not order.get("redeemed"))


def _gift_attributes(
    customer: Fields,
    orders: list[Fields],
    subscriptions: list[Fields],
    received: Mapping[str, Fields],
    rules: ConsentRules,
    rest: Rest,
) -> dict[str, Any]:
    # A gift has an order and a subscription, and the hook of either may be missing.
    gift_orders = sum(1 for order in orders if is_given(order)) + rest.count("order", "given")
    gift_subscriptions = sum(1 for item in subscriptions if item.get("is_gift")) + rest.count("subscription", "given")
    given = max(gift_orders, gift_subscriptions)
    names = sorted(
        str(gift["giver_first_name"])
        for subject, gift in received.items()
        if gift.get("giver_first_name")
        and not rules.protects(gift.get("source"), is_of_order=subject.startswith("order:"))
    )
    found: dict[str, Any] = {"gift_giver": True, "gifts_sent_count": given} if given else {}
    if received or rest.count("gift") or customer.get("gift_recipient"):
        found["gift_recipient"] = True
    return found | ({"gift_sender_first_name": names[-1]} if names else {})


def _best_status(statuses: Iterable[str | None]) -> str:
    statuses = set(statuses)
    return next((name for name, words in _STATUSES_BEST_FIRST if statuses.intersection(words)), "none")


def _fields_of_kind(facts: KnownFacts, kind: str) -> Fields:
    return current_values(facts.get((kind, ""), {}))


def _fields_by_subject(facts: KnownFacts, kind: str) -> dict[str, Fields]:
    return {subject: current_values(stamped) for (of, subject), stamped in facts.items() if of == kind}


def _group_by_kind(facts: KnownFacts) -> dict[str, list[Fields]]:
    """Return the fields of every subject by kind; subjects of one kind in the order of their names."""
    kinds: dict[str, list[Fields]] = {}
    for key in sorted(facts):
        kinds.setdefault(key[0], []).append(current_values(facts[key]))
    return kinds


def _collect(models: list[Fields], name: str) -> list[str | None]:
    return [model.get(name) for model in models]


def _earliest(times: list[str | None]) -> int | None:
    return min((time_s for text in times if (time_s := parse_time_s(text)) is not None), default=None)


def _latest(times: list[str | None]) -> int | None:
    return max((time_s for text in times if (time_s := parse_time_s(text)) is not None), default=None)


def _count_fields(subscriptions: list[Fields], prefix: str) -> int:
    return sum(1 for item in subscriptions for name in item if name.startswith(prefix))
