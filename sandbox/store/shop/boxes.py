"""Boxes: packed for an order, sent, cancelled. The customer also gets an e-mail about a sent box."""

from collections.abc import Iterable
from typing import Any

from sandbox.store import dates
from sandbox.store.shop.customers import remember_address
from sandbox.store.shop.shop import Shop, emit_order_event, emit_shipment_event, get_buyer
from sandbox.store.state import Row, State

SHIP_AFTER_S = 2 * dates.DAY


def pack_items(shop: Shop, order: Row, instances: Iterable[Row], target: int | None = None) -> Row:
    """A box for all single items; cycles do not apply to it."""
    shipment = add_shipment(shop, order, None, target or shop.state.now + SHIP_AFTER_S)
    for instance in instances:
        add_fulfillment(shop, shipment, instance["id"], (None, None))
    return shipment


def add_to_box(shop: Shop, shipment: Row, order: Row, instances: Iterable[Row]) -> None:
    """Put what an order has bought once into a box that waits; such a line belongs to no subscription."""
    for instance in instances:
        line_of = shipment | {"_order_id": order["id"], "_subscription_id": None}
        add_fulfillment(shop, line_of, instance["id"], (None, None))


def pack_cycles(shop: Shop, order: Row, subscription: Row, cycles: int, first: int | None = None) -> None:
    """A box for each month of the term. All share one creation date; only the target date orders them."""
    for cycle in range(cycles):
        target = dates.add_months(first or shop.state.now, cycle) + (0 if first else SHIP_AFTER_S)
        shipment = add_shipment(shop, order, subscription, target)
        add_fulfillment(shop, shipment, subscription["_instance_id"], (cycle, cycles))


def add_shipment(shop: Shop, order: Row, subscription: Row | None, target: int) -> Row:
    shipment_id = shop.state.new_id()
    shipment = {
        "adjusted_ordered_at": dates.iso(dates.midnight(target)),
        "created_at": dates.iso(shop.state.now),
        "customer_id": order["customer_id"],
        "id": shipment_id,
        "is_gift": bool(order.get("is_gift") or (subscription or {}).get("_gift_info")),
        "is_test": order["is_test"],
        "shipped_at": None,
        "status": "unshipped",
        "target_at": dates.iso(dates.midnight(target)),
        "tracking_number": None,
        "type": "shipment",
        "url": f"/v1/shipments/{shipment_id}/",
        "_address_id": order["_address_id"],
        "_batch_id": batch(shop, subscription, target)
        if subscription and is_standard(shop.state, subscription)
        else None,
        "_cust_cycle": len(shop.state.of("shipments", "customer_id", order["customer_id"])) + 1,
        "_order_id": order["id"],
        "_sub_cycle": next_cycle(subscription),
        "_subscription_id": subscription["id"] if subscription else None,
    }
    return shop.state.insert("shipments", shipment)


def is_standard(state: State, subscription: Row) -> bool:
    """Does everyone with this billing renew on the same day? Otherwise each renews on a day of their own."""
    return state.get("product_billings", subscription["product_billing_id"])["rebill_day"] is not None


def billing_type_of(state: State, shipment: Row) -> str:
    """`ecom`, `standard` or `adhoc`."""
    subscription = state.find("subscriptions", shipment["_subscription_id"])
    if subscription is None:
        return "ecom"
    return "standard" if is_standard(state, subscription) else "adhoc"


def next_cycle(subscription: Row | None) -> int | None:
    if subscription is None:
        return None
    subscription["_cycles"] += 1
    return int(subscription["_cycles"])


def batch(shop: Shop, subscription: Row, target: int) -> int:
    """The batch of this billing in the target's month, made when it is the first of it."""
    start = dates.iso(dates.midnight(target))[:8] + "01T00:00:00Z"
    for row in shop.state.of("shipment_batches", "product_billing_id", subscription["product_billing_id"]):
        if row["start"] == start:
            return int(row["id"])
    made = {
        "end": dates.iso(dates.add_months(dates.seconds(start), 1)),
        "product_billing_id": subscription["product_billing_id"],
        "start": start,
        "type": "shipment_batch",
    }
    return int(shop.state.insert("shipment_batches", made)["id"])


def add_fulfillment(shop: Shop, shipment: Row, instance_id: int, cycle: tuple[int | None, int | None]) -> None:
    number, of = cycle
    fulfillment = {
        "adjusted_fulfillment_date": shipment["adjusted_ordered_at"],
        "cycle_number": number,
        "fulfillment_date": shipment["adjusted_ordered_at"],
        "is_test": shipment["is_test"],
        "shipment_id": shipment["id"],
        "shipping": 0,
        "status": "open",
        "subscription_id": shipment["_subscription_id"],
        "tax": 0,
        "test": shipment["is_test"],
        "total_cycles": of,
        "type": "fulfillment",
        "_instance_id": instance_id,
        "_order_id": shipment["_order_id"],
    }
    shop.state.insert("fulfillments", fulfillment)


def ship(shop: Shop, shipment: Row, fields: dict[str, Any] | None = None) -> None:
    """Send the box. Only the first time the mail and the hook are sent; shipping a shipped box changes its fields."""
    first = shipment["status"] != "shipped"
    shipment.update(fields or {})
    shipment["status"] = "shipped"
    shipment["shipped_at"] = shipment["shipped_at"] or dates.iso(shop.state.tick(2))
    if not first and shop.state.switches.mails_again:
        send_shipping_mail(shop, shop.state.get("orders", shipment["_order_id"]), shipment)
        emit_shipment_event(shop, "shipment_shipped", shipment, shipment["tracking_number"])
    if not first:
        return
    close_fulfillments(shop, shipment, "closed")
    order = shop.state.get("orders", shipment["_order_id"])
    send_shipping_mail(shop, order, shipment)
    was_open = order["status"] == "open"
    order.update(status="closed", fulfillment_status="fulfilled")
    emit_shipment_event(shop, "shipment_shipped", shipment, shipment["tracking_number"])
    if was_open:
        emit_order_event(shop, "order_updated", order, "closed")


def send_shipping_mail(shop: Shop, order: Row, shipment: Row) -> None:
    letter = {
        "about": "shipped",
        "at": shipment["shipped_at"],
        "shipment_id": shipment["id"],
        "to": get_buyer(shop, order)["email"],
    }
    shop.state.outbox.append(letter)


def cancel(shop: Shop, shipment: Row) -> None:
    shipment["status"] = "cancelled"
    close_fulfillments(shop, shipment, "cancelled")
    emit_shipment_event(shop, "shipment_cancelled", shipment)


def restore(shop: Shop, shipment: Row) -> None:
    """Take a cancel back. None of the seventeen events covers this, so no hook fires."""
    shipment["status"] = "unshipped"
    close_fulfillments(shop, shipment, "open")


def send_elsewhere(shop: Shop, shipment: Row, fields: Row) -> None:
    """Give this box, and no other, another address; fires shipment_address_updated."""
    old = shop.state.get("addresses", shipment["_address_id"])
    kept = {key: value for key, value in old.items() if key not in {"id", "_customer_id"}}
    remember_address(kept)
    new = shop.state.insert("addresses", kept | {"_owner_id": shipment["customer_id"]} | fields)
    shop.state.point("shipments", shipment, "_address_id", new["id"])
    emit_shipment_event(shop, "shipment_address_updated", shipment, new["id"])


def close_fulfillments(shop: Shop, shipment: Row, status: str) -> None:
    for fulfillment in shop.state.of("fulfillments", "shipment_id", shipment["id"]):
        fulfillment["status"] = status
