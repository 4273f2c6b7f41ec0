"""The first tour: every event and every kind of gift once, before the random part."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from sandbox.store import dates
from sandbox.store.fake_people import Person
from sandbox.store.shop import channels, customers, gifts, payments, subscriptions, surveys
from sandbox.store.simulation import actions
from sandbox.store.simulation import context as stage
from sandbox.store.simulation.context import SimulationContext
from sandbox.store.state import Row

CHANNELS = (channels.MARKETPLACE, channels.STOREFRONT)


@dataclass(frozen=True)
class Step:
    """`most` is the maximum number of events: near the end of a simulation longer steps are left out."""

    most: int
    run: Callable[[SimulationContext], None]


@dataclass
class EventTour:
    """Stores the people of earlier steps for later steps."""

    has_marketplace: bool = False
    asks_recipients: bool = False
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
        yield Step(1, lambda scene: payments.fail_checkout(scene.shop, self.subscriber, stage.item_basket(scene).price))
        yield Step(
            1, lambda scene: subscriptions.change_term(scene.shop, get_only_subscription(scene, self.subscriber))
        )
        yield Step(4, lambda scene: subscriptions.cancel(scene.shop, get_only_subscription(scene, self.prepaid)))
        yield Step(2, lambda scene: payments.refund(scene.shop, self.order, self.order["total"] // 4))
        yield Step(1, lambda scene: actions.restock(scene, 0))
        yield Step(1, lambda scene: actions.change_theme(scene, 0))
        for kind in gifts.KINDS:
            if kind != "gift3":
                yield Step(6, partial(self.give, kind=kind))
        for kind in gifts.ASKED_KINDS if self.asks_recipients else ():
            yield Step(6, partial(self.give, kind=kind))
        if self.has_marketplace:
            yield from MarketplaceTour().steps()

    def subscribe(self, scene: SimulationContext) -> None:
        self.subscriber = customers.register(scene.shop, channel=channels.draw_channel(scene.shop))
        self.order = stage.buy(scene, self.subscriber, stage.box_basket(scene, 1))

    def prepay(self, scene: SimulationContext) -> None:
        surveys.rename_questions(scene.shop.state)
        self.prepaid = customers.register(scene.shop, channel=channels.draw_channel(scene.shop))
        stage.buy(scene, self.prepaid, stage.box_basket(scene, 3))

    def give(self, scene: SimulationContext, kind: str) -> None:
        at_storefront = kind == "gift1_redeemed"
        channel = channels.STOREFRONT if at_storefront else channels.draw_channel(scene.shop)
        buyer = customers.register(scene.shop, channel=channel)
        actions.buy_gift(scene, buyer, kind)
        self.gift = scene.shop.state.of("orders", "customer_id", buyer["id"])[-1]


@dataclass
class MarketplaceTour:
    """People who change from one place to the other, and gifts between the two."""

    newcomer: Row = field(default_factory=dict)
    regular: Row = field(default_factory=dict)
    friend: Person | None = None

    def steps(self) -> Iterator[Step]:
        for home, other in (CHANNELS, reversed(CHANNELS)):
            yield Step(5, partial(self.buy_first, home=home))
            yield Step(5, partial(self.buy_again, other=other))
        yield Step(5, self.give_to_regular)
        yield Step(5, self.give_to_newcomer)
        for home in CHANNELS:
            yield Step(5, partial(self.give_to_friend, home=home))
        yield Step(5, self.give_to_stranger)

    def buy_first(self, scene: SimulationContext, home: str) -> None:
        self.newcomer = customers.register(scene.shop, channel=home)
        stage.buy(scene, self.newcomer, stage.box_basket(scene, 1), channel=home)

    def buy_again(self, scene: SimulationContext, other: str) -> None:
        self.regular = self.newcomer
        stage.buy(scene, self.regular, stage.item_basket(scene), channel=other)

    def give_to_regular(self, scene: SimulationContext) -> None:
        """The Marketplace's buyer gives to someone the storefront knows, and remains unknown there."""
        self.newcomer = customers.register(scene.shop, channel=channels.MARKETPLACE)
        self._give(scene, self.newcomer, gifts.as_person(self.regular), channels.MARKETPLACE)

    def give_to_newcomer(self, scene: SimulationContext) -> None:
        self._give(scene, self.regular, gifts.as_person(self.newcomer), channels.STOREFRONT)

    def give_to_friend(self, scene: SimulationContext, home: str) -> None:
        """Two gifts to one person who buys nothing: the Marketplace's first."""
        self.friend = self.friend or scene.shop.person_generator.generate(scene.rng)
        self._give(scene, customers.register(scene.shop, channel=home), self.friend, home)

    def give_to_stranger(self, scene: SimulationContext) -> None:
        """A gift of the Marketplace to someone of whom nothing else is known."""
        stranger = scene.shop.person_generator.generate(scene.rng)
        self._give(scene, self.newcomer, stranger, channels.MARKETPLACE)

    def _give(self, scene: SimulationContext, giver: Row, friend: Person, channel: str) -> None:
        gift = gifts.build_gift("gift3", giver, friend, scene.rng)
        stage.buy(scene, giver, stage.box_basket(scene, 1), gift, channel)


def register(scene: SimulationContext) -> None:
    actions.schedule_customer(scene, customers.register(scene.shop))


def send_first_box(scene: SimulationContext, order: Row) -> None:
    state = scene.shop.state
    shipment = state.of("shipments", "order_id", order["id"])[0]
    state.now = max(state.now, dates.seconds(shipment["target_at"]) + dates.HOUR)
    actions.ship_box(scene, shipment["id"])


def get_only_subscription(scene: SimulationContext, customer: Row) -> Row:
    return scene.shop.state.of("subscriptions", "customer_id", customer["id"])[0]


def fail_next_renewal(scene: SimulationContext) -> None:
    subscription = wait_for_next_due(scene)
    subscriptions.fail_renewal(scene.shop, subscription)
    scene.schedule.add(scene.later(6), "try_again", subscription["id"])


def renew_next(scene: SimulationContext) -> None:
    actions.renew(scene, wait_for_next_due(scene))


def wait_for_next_due(scene: SimulationContext) -> Row:
    """Wait for the next subscription to fall due."""
    state = scene.shop.state
    subscription = min(filter(is_active, state.rows("subscriptions")), key=lambda row: row["end_date"])
    state.now = max(state.now, dates.seconds(subscription["end_date"]))
    return subscription


def is_active(subscription: Row) -> bool:
    return bool(subscription["status"] == "active" and subscription["autorenew"] and not subscription["is_test"])
