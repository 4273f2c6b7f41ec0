"""The two places where the store sells, its storefront and the Marketplace, and who is known from which.

The Marketplace's buyers may not be exported to mail tools (docs/sandbox-store.md). What distinguishes the two
is `source`, a number on orders and subscriptions whose meaning is not documented.
"""

from sandbox.store.fake_people import fold_email
from sandbox.store.shop.shop import Shop
from sandbox.store.state import Row, State
from sandbox.store.switches import Switches

STOREFRONT, MARKETPLACE = "storefront", "marketplace"
CHANGED_CHANNEL_SHARE = 0.5  # this share of later orders is placed at the other place


def draw_channel(shop: Shop) -> str:
    """Where a new customer comes from. Without a Marketplace no number is drawn, so that a seed keeps its history."""
    share = shop.state.switches.marketplace_share
    return MARKETPLACE if share and shop.rng.random() < share else STOREFRONT


def draw_next_channel(shop: Shop, customer: Row) -> str:
    """Where a customer orders: the first time where they come from, later at either place."""
    home = str(customer["_channel"])
    if not shop.state.switches.marketplace_share or not customer["num_orders"]:
        return home
    other = STOREFRONT if home == MARKETPLACE else MARKETPLACE
    return other if shop.rng.random() < CHANGED_CHANNEL_SHARE else home


def get_source(switches: Switches, channel: str) -> int:
    return switches.marketplace_source if channel == MARKETPLACE else switches.storefront_source


def remember_registration(state: State, customer: Row) -> None:
    customer["_knows_storefront"] = customer["_channel"] == STOREFRONT
    if customer["_knows_storefront"]:
        state.storefront_emails.add(fold_email(customer["email"]))


def remember_order(state: State, order: Row) -> None:
    """Keep whom an order of the storefront makes known there: its customer, and the recipient of a gift."""
    if order["_channel"] == MARKETPLACE:
        return
    customer = state.get("customers", order["customer_id"])
    customer["_knows_storefront"] = True
    state.storefront_emails.add(fold_email(customer["email"]))
    if order["_recipient"]:
        state.storefront_emails.add(order["_recipient"])
