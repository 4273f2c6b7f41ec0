"""The first tour: a short walk past every event and every kind of gift, before chance takes over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from sandbox.store import dates
from sandbox.store.life import acts
from sandbox.store.life import scene as stage
from sandbox.store.life.scene import Scene
from sandbox.store.shop import customers, gifts, renewals, subscriptions, till
from sandbox.store.state import Row


@dataclass(frozen=True)
class Step:
    """`most` is how many happenings it may make: a life near its end leaves out what is too long."""

    most: int
    play: Callable[[Scene], None]


@dataclass
class Tour:
    """Remembers whom it met, so that a later step can go on with them."""

    subscriber: Row = field(default_factory=dict)
    prepaid: Row = field(default_factory=dict)
    order: Row = field(default_factory=dict)
    gift: Row = field(default_factory=dict)

    def steps(self) -> Iterator[Step]:
        yield Step(1, register)
        yield Step(5, self.subscribe)
        yield Step(6, partial(self.give, kind="gift3"))
        yield Step(2, lambda scene: send_first_box(scene, self.order))
        yield Step(2, lambda scene: send_first_box(scene, self.gift))
        yield Step(1, fail_next_renewal)
        yield Step(2, renew_next)
        yield Step(5, self.prepay)
        yield Step(4, lambda scene: customers.move(scene.shop, self.prepaid))
        yield Step(1, lambda scene: customers.change_billing(scene.shop, self.subscriber))
        yield Step(1, lambda scene: till.fail_checkout(scene.shop, self.subscriber, stage.item_basket(scene).price))
        yield Step(1, lambda scene: subscriptions.change_term(scene.shop, only_subscription(scene, self.subscriber)))
        yield Step(4, lambda scene: subscriptions.cancel(scene.shop, only_subscription(scene, self.prepaid)))
        yield Step(2, lambda scene: till.refund(scene.shop, self.order, self.order["total"] // 4))
        yield Step(1, lambda scene: acts.restock(scene, 0))
        yield Step(1, lambda scene: acts.redecorate(scene, 0))
        for kind in gifts.KINDS:
            if kind != "gift3":
                yield Step(6, partial(self.give, kind=kind))

    def subscribe(self, scene: Scene) -> None:
        self.subscriber = customers.register(scene.shop)
        self.order = stage.buy(scene, self.subscriber, stage.box_basket(scene, 1))

    def prepay(self, scene: Scene) -> None:
        self.prepaid = customers.register(scene.shop)
        stage.buy(scene, self.prepaid, stage.box_basket(scene, 3))

    def give(self, scene: Scene, kind: str) -> None:
        buyer = customers.register(scene.shop)
        acts.give(scene, buyer, kind)
        self.gift = scene.shop.state.of("orders", "customer_id", buyer["id"])[-1]


def register(scene: Scene) -> None:
    acts.plan_person(scene, customers.register(scene.shop))


def send_first_box(scene: Scene, order: Row) -> None:
    state = scene.shop.state
    shipment = state.of("shipments", "order_id", order["id"])[0]
    state.now = max(state.now, dates.seconds(shipment["target_at"]) + dates.HOUR)
    acts.ship(scene, shipment["id"])


def only_subscription(scene: Scene, customer: Row) -> Row:
    return scene.shop.state.of("subscriptions", "customer_id", customer["id"])[0]


def fail_next_renewal(scene: Scene) -> None:
    subscription = next_due(scene)
    renewals.fail_renewal(scene.shop, subscription)
    scene.agenda.add(scene.later(6), "try_again", subscription["id"])


def renew_next(scene: Scene) -> None:
    acts.renew(scene, next_due(scene))


def next_due(scene: Scene) -> Row:
    """Wait for the next subscription to fall due."""
    state = scene.shop.state
    subscription = min(filter(is_running, state.rows("subscriptions")), key=lambda row: row["end_date"])
    state.now = max(state.now, dates.seconds(subscription["end_date"]))
    return subscription


def is_running(subscription: Row) -> bool:
    return bool(subscription["status"] == "active" and subscription["autorenew"] and not subscription["is_test"])
