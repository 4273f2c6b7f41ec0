"""The body of each event: the bare model, with the fields the samples show and the variety captures show.

Variety comes from the object's id, so that one object looks the same each time and a seed repeats a life.
"""

from collections.abc import Callable

from sandbox.store import relations, shapes
from sandbox.store.relations import expand
from sandbox.store.shop.gifts import ASKED_KINDS
from sandbox.store.state import Row, State
from sandbox.store.webhooks import body_variants
from sandbox.store.webhooks.shop_event import ShopEvent

# A cancelled or unpaid subscription was seen without what describes its product and its destination.
BRIEF_SUBSCRIPTION = ("customer", "billing", "term")
SIDE_BY_SIDE_ORDER = ("id", "is_gift", "order_gift_info", "type")
SIDE_BY_SIDE_TRANSACTION = ("created_at", "id", "is_test", "result", "total", "type")


def customer_new(_state: State, news: ShopEvent) -> Row:
    """The full form or, more rarely, the short form without counters."""
    row = news.row
    if row["id"] % 4 == 0:
        return shapes.short_customer(row)
    return {key: value for key, value in shapes.plain(row).items() if key != "note"}


def customer_changed(state: State, news: ShopEvent) -> Row:
    """The customer "with new sub-models", which are not named; the addresses are the likeliest."""
    return shapes.short_customer(news.row) | {
        "addresses": expand(state, "customers", news.row, ["addresses"])["addresses"]
    }


def order(state: State, news: ShopEvent) -> Row:
    """The order with its customer; `products` may be a list, a link or missing."""
    body = expand(state, "orders", news.row, ["customer"])
    if news.row["id"] % 3 == 0:
        body["products"] = list(news.row["_products"])
    if news.row["id"] % 3 == 1:
        body["products"] = relations.link("orders", news.row, "products")
    if "received_gift" in body:
        body["subscriptions"] = expand(state, "orders", news.row, ["subscriptions"])["subscriptions"]
    return body


def subscription(state: State, news: ShopEvent) -> Row:
    """All default relations. The documents name a relation `instance`, live responses `product_instance`."""
    body = expand(state, "subscriptions", news.row, relations.DEFAULTS["subscriptions"])
    if news.row["id"] % 5 == 0:
        body["instance"] = body.pop("product_instance")
    if news.row["id"] % 2:  # a hook lacks the variants every other time
        (body.get("instance") or body["product_instance"]).pop("variants", None)
    return body


def brief_subscription(state: State, news: ShopEvent) -> Row:
    """Without product, address and, every other time, without the gift."""
    names = BRIEF_SUBSCRIPTION + (("subscription_gift_info",) if news.row["id"] % 2 else ())
    body = expand(state, "subscriptions", news.row, names)
    del body["billing_name"], body["source"]
    return body


def shipment(state: State, news: ShopEvent) -> Row:
    """The box. It never names the recipient of a gift; its fulfillments name a subscription or an order that does."""
    body = expand(state, "shipments", news.row, relations.DEFAULTS["shipments"])
    for fulfillment in body["fulfillments"]:
        by_order = fulfillment["subscription_id"] is None or news.row["id"] % 3
        _shorten_order(fulfillment, keep=bool(by_order))
        del fulfillment["instance"]["product"]["sku"]
        if news.row["id"] % 4 == 0:
            del fulfillment["instance"]["variants"]
    if news.row["id"] % 7 == 0:
        del body["customer_id"]
    if news.row["id"] % 11 == 0:
        body["feedback_responses"] = []
    return body


def _shorten_order(fulfillment: Row, *, keep: bool) -> None:
    inner = fulfillment.pop("order")
    hidden = (*shapes.NOT_IN_A_SUMMARY, "subscriptions")
    if keep:
        fulfillment["order"] = {key: value for key, value in inner.items() if key not in hidden}


def transaction(state: State, news: ShopEvent) -> Row:
    """The order inside the transaction; or, if its hook was sent before, both side by side without the customer."""
    row, bought = news.row, news.order or {}
    if row["id"] % 4 == 0 and bought.get("_known") and "is_gift" in bought:
        return {
            "order": shapes.pick(bought, SIDE_BY_SIDE_ORDER),
            "transaction": shapes.pick(row, SIDE_BY_SIDE_TRANSACTION),
        }
    return expand(state, "transactions", row, ["order"])


def checkout_failed(_state: State, news: ShopEvent) -> Row:
    """Customer and order, side by side or nested."""
    customer, tried = shapes.short_customer(news.customer or {}), shapes.plain(news.row)
    if (news.row["total"] + customer["id"]) % 3 == 0:
        return tried | {"customer": customer}
    return {"customer": customer, "order": tried}


def inventory_updated(state: State, news: ShopEvent) -> Row:
    product = state.get("products", news.row["product_id"])
    stock = {key: value for key, value in shapes.plain(news.row).items() if key != "url"}
    return {"inventory": stock, "product": shapes.pick(product, ("id", "name", "sku", "type"))}


def design_updated(_state: State, news: ShopEvent) -> Row:
    return dict(news.row)


BODIES: dict[str, Callable[[State, ShopEvent], Row]] = {
    "address_updated": customer_changed,
    "billing_updated": customer_changed,
    "checkout_failed": checkout_failed,
    "customer_new": customer_new,
    "design_updated": design_updated,
    "inventory_updated": inventory_updated,
    "order_new": order,
    "order_updated": order,
    "shipment_address_updated": shipment,
    "shipment_cancelled": shipment,
    "shipment_shipped": shipment,
    "subscription_cancelled": brief_subscription,
    "subscription_new": subscription,
    "subscription_renew_failed": brief_subscription,
    "subscription_renewed": subscription,
    "subscription_updated": subscription,
    "transaction_new": transaction,
}


def build_body(state: State, news: ShopEvent) -> Row:
    body = BODIES[news.event](state, news)
    return body_variants.hide_recipient(news, body) if news.gift in ASKED_KINDS else body
