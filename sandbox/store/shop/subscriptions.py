"""Subscriptions: opened, changed, cancelled, skipped, resumed."""

from dataclasses import dataclass

from sandbox.store import catalogue, dates
from sandbox.store.shop import boxes, orders, payments, surveys
from sandbox.store.shop.customers import subscription_status
from sandbox.store.shop.gifts import Gift
from sandbox.store.shop.shop import Shop, emit_order_event, emit_subscription_event
from sandbox.store.state import Row


def renew(shop: Shop, subscription: Row, first: int | None = None) -> Row:
    """Charge the saved card for a new term: a renewal order, its transaction, new boxes, a new end date."""
    order = renewal_order(shop, subscription)
    if shop.state.switches.renewal_orders:
        emit_order_event(shop, "order_new", order)
    payments.pay(shop, order)
    cycles = shop.state.get("terms", subscription["_term_id"])["num_cycles"]
    start = max(dates.seconds(subscription["end_date"]), shop.state.now)
    subscription["end_date"] = dates.iso(dates.add_months(start, cycles))
    boxes.pack_cycles(shop, order, subscription, cycles, first)
    set_status(shop, subscription, "active")
    emit_subscription_event(shop, "subscription_renewed", subscription, subscription["end_date"])
    return order


def renewal_order(shop: Shop, subscription: Row) -> Row:
    """The order of a renewal. Whether it repeats the marks of the gift is not known; this one does not."""
    customer = shop.state.get("customers", subscription["_customer_id"])
    instance = shop.state.get("product_instances", subscription["_instance_id"])
    basket = orders.Basket((instance,), shop.state.get("terms", subscription["_term_id"]))
    order = orders.blank_order(shop, customer, basket, subscription["_channel"], test=subscription["is_test"])
    order.update(is_renewal=True, _address_id=subscription["_address_id"], _subscription_ids=[subscription["id"]])
    subscription["_order_ids"].append(order["id"])
    return orders.store_order(shop, order)


def fail_renewal(shop: Shop, subscription: Row) -> None:
    shop.state.tick(2)
    set_status(shop, subscription, "past_due")
    emit_subscription_event(shop, "subscription_renew_failed", subscription, subscription["end_date"])


RENEWING_GIFT_SHARE = 0.4


@dataclass(frozen=True)
class BoxDates:
    """When boxes are due, if not in two days and monthly from then: the first target date, and the billing."""

    first: int | None = None
    billing_id: int | None = None


USUAL_DATES = BoxDates()


def create_subscription(
    shop: Shop, order: Row, instance: Row, term: Row, gift: Gift | None, box_dates: BoxDates = USUAL_DATES
) -> Row:
    subscription = shop.state.insert("subscriptions", subscription_row(shop, order, instance, term))
    subscription["product_billing_id"] = box_dates.billing_id or subscription["product_billing_id"]
    if gift and gift.kind not in {"gift1_redeemed", "gift2_message"}:
        subscription["_gift_info"] = gift.info(shop.state.new_id(), "subscriptions")
    if gift:
        subscription["autorenew"] = gift.kind != "gift1_redeemed" and shop.rng.random() < RENEWING_GIFT_SHARE
    order["_subscription_ids"].append(subscription["id"])
    customer = shop.state.get("customers", order["customer_id"])
    customer["num_subscriptions"] += 1
    boxes.pack_cycles(shop, order, subscription, term["num_cycles"], box_dates.first)
    surveys.offer_survey(shop.state, subscription)
    set_status(shop, subscription, "active")
    emit_subscription_event(shop, "subscription_new", subscription)
    return subscription


def subscription_row(shop: Shop, order: Row, instance: Row, term: Row) -> Row:
    subscription_id = shop.state.new_id()
    product = shop.state.get("products", instance["product_id"])
    return {
        "autorenew": True,
        "billing_name": "Monthly",
        "credit": None,
        "end_date": dates.iso(dates.add_months(shop.state.now, term["num_cycles"])),
        "id": subscription_id,
        "is_test": order["is_test"],
        "note": shop.rng.choice(("", None)),
        "product_billing_id": product["product_billing_id"],
        "skipped_date": None,
        "source": order["source"],
        "start_date": dates.iso(shop.state.tick(1)),
        "status": "active",
        "store_id": shop.state.switches.store_id,
        "type": "subscription",
        "url": f"/v1/subscriptions/{subscription_id}/",
        "_address_id": order["_address_id"],
        "_channel": order["_channel"],
        "_customer_id": order["customer_id"],
        "_cycles": 0,
        "_gift": order["_gift"],
        "_gift_info": None,
        "_instance_id": instance["id"],
        "_logs": [],
        "_order_ids": [order["id"]],
        "_product_id": product["id"],
        "_recipient": order["_recipient"],
        "_term_id": term["id"],
    }


def set_status(shop: Shop, subscription: Row, status: str) -> None:
    subscription["status"] = status
    customer = shop.state.get("customers", subscription["_customer_id"])
    customer["subscription_status"] = subscription_status(shop, customer)


def cancel(shop: Shop, subscription: Row, *, keep_boxes: bool = False) -> None:
    """End it. A prepaid term's boxes may still be due: then `keep_boxes` is set and the end date is later."""
    shop.state.tick(2)
    subscription["autorenew"] = False
    set_status(shop, subscription, "cancelled")
    emit_subscription_event(shop, "subscription_cancelled", subscription, subscription["end_date"])
    if keep_boxes or not shop.state.switches.cancel_boxes:
        return
    for shipment in shop.state.of("shipments", "subscription_id", subscription["id"]):
        if shipment["status"] == "unshipped":
            boxes.cancel(shop, shipment)


def change_term(shop: Shop, subscription: Row) -> None:
    """Another box or another term from the next renewal on."""
    shop.state.tick(2)
    instance = shop.rng.choice(catalogue.boxes(shop.state))
    terms = [term for term in shop.state.rows("terms") if term["id"] != subscription["_term_id"]]
    term = shop.rng.choice(terms)
    subscription.update(_instance_id=instance["id"], _product_id=instance["product_id"], _term_id=term["id"])
    emit_subscription_event(shop, "subscription_updated", subscription, term["name"])


def reactivate(shop: Shop, subscription: Row) -> None:
    """None of the seventeen events covers this, so no hook fires."""
    subscription.update(autorenew=True, cancel_reason=None)
    set_status(shop, subscription, "active")


def skip(subscription: Row, *, skipped: bool) -> None:
    """No event is documented for a skipped cycle."""
    subscription["skipped_date"] = subscription["end_date"] if skipped else None
