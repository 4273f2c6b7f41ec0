"""The context of a simulation: the shop, the agenda and the random source."""

import random
from dataclasses import dataclass

from sandbox.store import catalogue, dates
from sandbox.store.shop import channels, gifts, orders
from sandbox.store.shop.gifts import Gift
from sandbox.store.shop.orders import Basket
from sandbox.store.shop.shop import Shop
from sandbox.store.simulation.schedule import Schedule
from sandbox.store.state import Row
from sandbox.store.webhooks.mix import Mix

TERM_WEIGHTS = (70, 20, 10)  # month to month, three and six months

# Of all who have the occasion, this share does it.
HABITS = {
    "cancel": 0.09, "change_term": 0.08, "move": 0.10, "new_card": 0.06, "refund": 0.04, "buy_again": 0.25,
    "cancel_box": 0.02,
}  # fmt: skip


@dataclass(frozen=True)
class SimulationContext:
    """Handed to every act. `gap` is the mean simulated time between two newcomers."""

    shop: Shop
    schedule: Schedule
    rng: random.Random
    mix: Mix
    gap: int

    @property
    def now(self) -> int:
        return self.shop.state.now

    def later(self, days: float) -> int:
        """Some moment within so many days from now."""
        return self.now + int(self.rng.uniform(0.1, 1.0) * days * dates.DAY)

    def chance(self, habit: str) -> bool:
        return self.rng.random() < HABITS[habit]

    def is_test(self) -> bool:
        return self.rng.random() < self.mix.test


def box_basket(scene: SimulationContext, cycles: int | None = None) -> Basket:
    state = scene.shop.state
    terms = [term for term in state.rows("terms") if cycles in {None, term["num_cycles"]}]
    weights = TERM_WEIGHTS if cycles is None else None
    return Basket((scene.rng.choice(catalogue.boxes(state)),), scene.rng.choices(terms, weights)[0])


def item_basket(scene: SimulationContext) -> Basket:
    items = catalogue.items(scene.shop.state)
    return Basket(tuple(scene.rng.sample(items, scene.rng.choice((1, 1, 1, 2, 3)))))


def draw_gift(scene: SimulationContext, buyer: Row, kind: str | None = None) -> Gift:
    """A gift of the requested or a random kind; by the mix some lose the e-mail of the recipient."""
    kind = kind or gifts.draw_kind(scene.rng)
    if scene.rng.random() < scene.mix.missing_recipient and kind.startswith("gift3"):
        kind = "gift3_missing"
    if kind == "gift3" and scene.mix.asked_recipient and scene.rng.random() < scene.mix.asked_recipient:
        kind = scene.rng.choice(gifts.ASKED_KINDS)
    if kind == "gift1_redeemed" and comes_from_marketplace(buyer):
        kind = "gift3"
    others = [row for row in scene.shop.state.rows("customers") if row["id"] != buyer["id"]]
    friend = gifts.choose_friend(scene.shop.person_generator, others, scene.rng)
    return gifts.build_gift(kind, buyer, friend, scene.rng)


def comes_from_marketplace(buyer: Row) -> bool:
    """Whether their first order will be at the Marketplace, which cannot sell gifts of Gifting 1.0."""
    return bool(buyer["_channel"] == channels.MARKETPLACE and not buyer["num_orders"])


def buy(
    scene: SimulationContext, customer: Row, basket: Basket, gift: Gift | None = None, channel: str | None = None
) -> Row:
    """Buy, and put on the agenda what follows from it. What makes someone known at the storefront is no test."""
    if gift and gift.kind == "gift1_redeemed":
        channel = channels.STOREFRONT
    channel = channel or channels.draw_next_channel(scene.shop, customer)
    makes_known = channel == channels.STOREFRONT and not customer["_knows_storefront"]
    test = scene.is_test() and not makes_known
    order = orders.buy(scene.shop, customer, basket, gift, test=test, wishes=orders.OrderOptions(channel=channel))
    plan_boxes(scene, order)
    for subscription_id in order["_subscription_ids"]:
        plan_subscription(scene, scene.shop.state.get("subscriptions", subscription_id))
    if scene.chance("refund") and order["total"]:
        scene.schedule.add(scene.later(10), "refund", order["id"])
    return order


def plan_boxes(scene: SimulationContext, order: Row) -> None:
    for shipment in scene.shop.state.of("shipments", "order_id", order["id"]):
        due = dates.seconds(shipment["target_at"]) + scene.rng.randrange(2 * dates.DAY)
        act = "cancel_box" if scene.chance("cancel_box") else "ship"
        scene.schedule.add(max(due, scene.now + dates.HOUR), act, shipment["id"])


def plan_subscription(scene: SimulationContext, subscription: Row) -> None:
    scene.schedule.add(dates.seconds(subscription["end_date"]), "renewal", subscription["id"])
    if scene.chance("cancel"):
        scene.schedule.add(scene.later(40), "cancel", subscription["id"])
    if scene.chance("change_term"):
        scene.schedule.add(scene.later(30), "change_term", subscription["id"])
