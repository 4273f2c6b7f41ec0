"""Renewals: a new term paid for, or the card refused."""

from sandbox.store import dates
from sandbox.store.shop import boxes, orders, till
from sandbox.store.shop.desk import Shop, tell_order, tell_subscription
from sandbox.store.shop.subscriptions import settle
from sandbox.store.state import Row


def renew(shop: Shop, subscription: Row) -> Row:
    """Charge the saved card for a new term: a renewal order, its transaction, new boxes, a new end date."""
    order = renewal_order(shop, subscription)
    if shop.state.switches.renewal_orders:
        tell_order(shop, "order_new", order)
    till.pay(shop, order)
    cycles = shop.state.get("terms", subscription["_term_id"])["num_cycles"]
    start = max(dates.seconds(subscription["end_date"]), shop.state.now)
    subscription["end_date"] = dates.iso(dates.add_months(start, cycles))
    boxes.pack_cycles(shop, order, subscription, cycles)
    settle(shop, subscription, "active")
    tell_subscription(shop, "subscription_renewed", subscription, subscription["end_date"])
    return order


def renewal_order(shop: Shop, subscription: Row) -> Row:
    """The order of a renewal. Whether it repeats the gift's marks is not known; here only the subscription has them."""
    customer = shop.state.get("customers", subscription["_customer_id"])
    instance = shop.state.get("product_instances", subscription["_instance_id"])
    basket = orders.Basket((instance,), shop.state.get("terms", subscription["_term_id"]))
    order = orders.blank_order(shop, customer, basket, test=subscription["is_test"])
    order.update(is_renewal=True, _address_id=subscription["_address_id"], _subscription_ids=[subscription["id"]])
    subscription["_order_ids"].append(order["id"])
    return orders.enter(shop, order)


def fail_renewal(shop: Shop, subscription: Row) -> None:
    shop.state.tick(2)
    settle(shop, subscription, "past_due")
    tell_subscription(shop, "subscription_renew_failed", subscription, subscription["end_date"])
