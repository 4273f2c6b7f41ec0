"""The shop's desk: the state, who is told, and whose luck it is, in one bundle handed to every act."""

import random
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.store.people import Townsfolk
from sandbox.store.state import Row, State
from sandbox.store.telling.news import News


class Listener(Protocol):
    """Whoever is told what happened."""

    def tell(self, news: News) -> None: ...


class Silence:
    """Nobody is told: for what happened before the story begins."""

    def tell(self, news: News) -> None:
        """Hear nothing."""


@dataclass(frozen=True)
class Shop:
    """What every act in the shop needs."""

    state: State
    listener: Listener
    folk: Townsfolk
    rng: random.Random


def tell_customer(shop: Shop, event: str, customer: Row, detail: Any = None) -> None:
    shop.listener.tell(News(event, "customer", customer, detail, customer))


def tell_order(shop: Shop, event: str, order: Row, detail: Any = None) -> None:
    shop.listener.tell(News(event, "order", order, detail, buyer(shop, order), order))


def tell_subscription(shop: Shop, event: str, subscription: Row, detail: Any = None) -> None:
    customer = shop.state.get("customers", subscription["_customer_id"])
    shop.listener.tell(News(event, "subscription", subscription, detail, customer, None, subscription))


def tell_shipment(shop: Shop, event: str, shipment: Row, detail: Any = None) -> None:
    order = shop.state.get("orders", shipment["_order_id"])
    subscription = shop.state.find("subscriptions", shipment["_subscription_id"])
    shop.listener.tell(News(event, "shipment", shipment, detail, buyer(shop, order), order, subscription))


def tell_transaction(shop: Shop, transaction: Row) -> None:
    order = shop.state.get("orders", transaction["_order_id"])
    news = News("transaction_new", "transaction", transaction, transaction["result"], buyer(shop, order), order)
    shop.listener.tell(news)


def buyer(shop: Shop, order: Row) -> Row:
    return shop.state.get("customers", order["customer_id"])
