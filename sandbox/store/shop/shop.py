"""The context of every act in the shop: the state, the receiver of its events, and the random source."""

import random
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.store.fake_people import PersonGenerator
from sandbox.store.state import Row, State
from sandbox.store.webhooks.shop_event import ShopEvent


class EventListener(Protocol):
    """A receiver of the events of the shop."""

    def report(self, news: ShopEvent) -> None: ...


class NullListener:
    """A receiver that ignores all events: for what precedes the simulation."""

    def report(self, news: ShopEvent) -> None:
        """Ignore the event."""


@dataclass(frozen=True)
class Shop:
    """What every act in the shop needs."""

    state: State
    listener: EventListener
    person_generator: PersonGenerator
    rng: random.Random


def emit_customer_event(shop: Shop, event: str, customer: Row, detail: Any = None) -> None:
    shop.listener.report(ShopEvent(event, "customer", customer, detail, customer))


def emit_order_event(shop: Shop, event: str, order: Row, detail: Any = None) -> None:
    shop.listener.report(ShopEvent(event, "order", order, detail, get_buyer(shop, order), order))


def emit_subscription_event(shop: Shop, event: str, subscription: Row, detail: Any = None) -> None:
    customer = shop.state.get("customers", subscription["_customer_id"])
    shop.listener.report(ShopEvent(event, "subscription", subscription, detail, customer, None, subscription))


def emit_shipment_event(shop: Shop, event: str, shipment: Row, detail: Any = None) -> None:
    order = shop.state.get("orders", shipment["_order_id"])
    subscription = shop.state.find("subscriptions", shipment["_subscription_id"])
    shop.listener.report(ShopEvent(event, "shipment", shipment, detail, get_buyer(shop, order), order, subscription))


def emit_transaction_event(shop: Shop, transaction: Row) -> None:
    order = shop.state.get("orders", transaction["_order_id"])
    news = ShopEvent(
        "transaction_new", "transaction", transaction, transaction["result"], get_buyer(shop, order), order
    )
    shop.listener.report(news)


def get_buyer(shop: Shop, order: Row) -> Row:
    return shop.state.get("customers", order["customer_id"])
