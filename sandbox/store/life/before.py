"""People from before: registered, and most of them subscribed, before anybody listened to hooks."""

import random

from sandbox.store import dates
from sandbox.store.life import acts
from sandbox.store.life import scene as stage
from sandbox.store.life.agenda import Agenda
from sandbox.store.life.scene import Scene
from sandbox.store.people import Townsfolk
from sandbox.store.shop import customers
from sandbox.store.shop.desk import Shop, Silence
from sandbox.store.state import Row, State
from sandbox.store.telling.mix import Mix

SUBSCRIBED = 0.8
MONTH = 30 * dates.DAY


def settle_people(state: State, folk: Townsfolk, agenda: Agenda, rng: random.Random, count: int) -> list[Row]:
    """Add so many customers whom no hook has told of; their renewals are spread over the coming month."""
    scene = Scene(Shop(state, Silence(), folk, rng), agenda, rng, Mix(), gap=dates.DAY)
    now = state.now
    made = []
    for i in range(count):
        state.now = now - MONTH + (2 * i + 1) * MONTH // (2 * count)
        made.append(settle_one(scene, now))
    state.now = now
    return made


def settle_one(scene: Scene, now: int) -> Row:
    """One customer; a box that was due by now has gone."""
    state = scene.shop.state
    customer = customers.register(scene.shop)
    if scene.rng.random() > SUBSCRIBED:
        return customer
    order = stage.buy(scene, customer, stage.box_basket(scene, 1))
    for shipment in state.of("shipments", "order_id", order["id"]):
        if dates.seconds(shipment["target_at"]) <= now:
            acts.ship(scene, shipment["id"])
    return customer
