"""People from before: registered, and most of them subscribed, before any hook was registered."""

import random

from sandbox.store import dates
from sandbox.store.fake_people import PersonGenerator
from sandbox.store.shop import channels, customers
from sandbox.store.shop.shop import NullListener, Shop
from sandbox.store.simulation import actions
from sandbox.store.simulation import context as stage
from sandbox.store.simulation.context import SimulationContext
from sandbox.store.simulation.schedule import Schedule
from sandbox.store.state import Row, State
from sandbox.store.webhooks.mix import Mix

SUBSCRIBED_SHARE = 0.8
MONTH = 30 * dates.DAY
AGAIN_WITHIN_S = 45 * dates.DAY


def add_existing_customers(
    state: State, folk: PersonGenerator, agenda: Schedule, rng: random.Random, count: int
) -> list[Row]:
    """Add customers that no hook has announced; their renewals are spread over the coming month."""
    scene = SimulationContext(Shop(state, NullListener(), folk, rng), agenda, rng, Mix(), gap=dates.DAY)
    now = state.now
    made = []
    for i in range(count):
        state.now = now - MONTH + (2 * i + 1) * MONTH // (2 * count)
        made.append(add_existing_customer(scene, now))
    state.now = now
    return made


def add_existing_customer(scene: SimulationContext, now: int) -> Row:
    """Add a customer; a box that is due by now was sent."""
    state = scene.shop.state
    channel = channels.draw_channel(scene.shop)
    customer = customers.register(scene.shop, channel=channel)
    if scene.rng.random() > SUBSCRIBED_SHARE and channel == channels.STOREFRONT:
        return customer
    if state.switches.marketplace_share and scene.chance("buy_again"):
        scene.schedule.add(now + scene.rng.randrange(AGAIN_WITHIN_S), "shop_around", customer["id"])
    order = stage.buy(scene, customer, stage.box_basket(scene, 1))
    for shipment in state.of("shipments", "order_id", order["id"]):
        if dates.seconds(shipment["target_at"]) <= now:
            actions.ship_box(scene, shipment["id"])
    return customer
