"""All people of the store at present: its customers and the recipients of its gifts."""

from collections import defaultdict
from typing import Any

from sandbox.store.fake_people import fold_email
from sandbox.store.shop import surveys
from sandbox.store.shop.channels import MARKETPLACE
from sandbox.store.shop.gifts import ASKED_KINDS
from sandbox.store.state import Row, State


def list_people(state: State) -> list[Row]:
    """Customers first, then recipients who are not customers, each by folded e-mail."""
    gifts = gifts_by_recipient(state)
    customers = [
        describe_customer(state, row, gifts.get(fold_email(row["email"]), [])) for row in state.rows("customers")
    ]
    known = {person["email"] for person in customers}
    return customers + [describe_recipient(state, email, given) for email, given in gifts.items() if email not in known]


def gifts_by_recipient(state: State) -> dict[str, list[Row]]:
    gifts: dict[str, list[Row]] = defaultdict(list)
    for order in state.rows("orders"):
        if order["_recipient"]:
            gifts[order["_recipient"]].append(order)
    return gifts


def describe_customer(state: State, customer: Row, received: list[Row]) -> Row:
    orders = state.of("orders", "customer_id", customer["id"])
    subscriptions = state.of("subscriptions", "customer_id", customer["id"])
    shipments = state.of("shipments", "customer_id", customer["id"])
    redeemed = any(order["_gift"] == "gift1_redeemed" for order in orders)
    known_from = {customer["_channel"], *(order["_channel"] for order in orders)}
    return {
        "accepts_marketing": customer.get("accepts_marketing"),
        "asked": False,
        "boxes": count_by_status(shipments, status="shipped"),
        "customer_id": customer["id"],
        "email": fold_email(customer["email"]),
        "first_name": customer["first_name"],
        "gift_recipient": bool(received) or redeemed,
        "gifts_from": list_channels(received),
        "gifts_given": sum(1 for order in orders if order["_gift"] and order["_gift"] != "gift1_redeemed"),
        "gifts_received": len(received) + redeemed,
        "known_from": sorted(known_from),
        "last_name": customer["last_name"],
        "name": customer["name"],
        "orders": len(orders),
        "subscriptions": {str(row["id"]): row["status"] for row in subscriptions},
        "surveys": [describe_survey(state, row) for row in subscriptions],
        "test_orders": count_by_status(orders, is_test=True),
        "told": customer["_sent"],
        "variants": describe_variants(state, subscriptions),
        "withheld": "storefront" not in known_from.union(list_channels(received)),
    }


def list_channels(orders: list[Row]) -> list[str]:
    return sorted({order["_channel"] for order in orders})


def describe_survey(state: State, subscription: Row) -> Row:
    """The answers of a subscription: none, if its buyer was not asked."""
    answers = [
        {"field_id": field_id, "names": list(state.get("survey_fields", field_id)["_names"]), "value": value}
        | {"shape": surveys.get_shape(state, result), "type": state.get("survey_fields", field_id)["type"]}
        for result in state.of("product_survey_results", "subscription_id", subscription["id"])
        for field_id, value in result["_answers"]
    ]
    return {"answers": answers, "gift": bool(subscription["_gift"]), "subscription_id": subscription["id"]}


def describe_variants(state: State, subscriptions: list[Row]) -> Row | None:
    """The variants of the newest active subscription."""
    active = [row for row in subscriptions if row["status"] == "active" and not row["is_test"]]
    if not active:
        return None
    newest = max(active, key=lambda row: (row["start_date"], row["id"]))
    types = dict(state.get("product_instances", newest["_instance_id"])["_variants"])
    return {"gift": bool(newest["_gift"]), "subscription_id": newest["id"], "types": types}


def describe_recipient(state: State, email: str, received: list[Row]) -> Row:
    """A person known only by gifts. Their boxes are those of the gifts and of the renewals of the gifts."""
    subscriptions = [state.get("subscriptions", found) for order in received for found in order["_subscription_ids"]]
    single = [order["id"] for order in received if not order["_subscription_ids"]]
    shipments = [box for row in subscriptions for box in state.of("shipments", "subscription_id", row["id"])]
    shipments += [box for order_id in single for box in state.of("shipments", "order_id", order_id)]
    info = received[-1]["order_gift_info"]
    return {
        "accepts_marketing": None,
        "asked": all(order["_gift"] in ASKED_KINDS for order in received),
        "boxes": count_by_status(shipments, status="shipped"),
        "customer_id": None,
        "email": email,
        "first_name": None,
        "gift_recipient": True,
        "gifts_from": list_channels(received),
        "gifts_given": 0,
        "gifts_received": len(received),
        "known_from": [],
        "last_name": None,
        "name": info["gift_recipient_name"],
        "orders": 0,
        "subscriptions": {str(row["id"]): row["status"] for row in subscriptions},
        "surveys": [],
        "test_orders": 0,
        "told": any(order["_sent"] for order in received),
        "variants": None,
        "withheld": list_channels(received) == [MARKETPLACE],
    }


def count_by_status(rows: list[Row], **fields: Any) -> int:
    return sum(1 for row in rows if all(row[name] == value for name, value in fields.items()))
