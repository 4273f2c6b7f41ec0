"""What people and the merchant do of themselves, each as a function of the scene and a subject's id."""

from collections.abc import Callable

from sandbox.store import dates
from sandbox.store.shop import boxes, channels, customers, gifts, inventory, payments, subscriptions
from sandbox.store.simulation import context as stage
from sandbox.store.simulation.context import SimulationContext
from sandbox.store.state import Row

BUYS_BOX_SHARE, BUYS_ITEMS_SHARE = 0.62, 0.84  # the rest are gifts
REFUSED_CARD_SHARE = 0.10


def add_newcomer(scene: SimulationContext, _: int) -> None:
    """A new person: most buy at once, some of the storefront's only register. Then the next arrival is scheduled."""
    scene.schedule.add(scene.now + 1 + int(scene.rng.expovariate(1 / scene.gap)), "arrive")
    channel = channels.draw_channel(scene.shop)
    customer = customers.register(scene.shop, channel=channel)
    schedule_customer(scene, customer)
    if scene.rng.random() < 0.15 and channel == channels.STOREFRONT:  # noqa: PLR2004 - a share like those above, used once
        scene.schedule.add(scene.later(9), "shop_around", customer["id"])
        return
    visit_shop(scene, customer["id"])


def schedule_customer(scene: SimulationContext, customer: Row) -> None:
    for act, days in (("move", 50), ("new_card", 50), ("buy_again", 45)):
        if scene.chance(act):
            later = "shop_around" if act == "buy_again" else act
            scene.schedule.add(scene.later(days), later, customer["id"])


def visit_shop(scene: SimulationContext, customer_id: int) -> None:
    """A visit to the shop that ends with an order, now and then after a card that was refused."""
    customer = scene.shop.state.get("customers", customer_id)
    luck = scene.rng.random()
    if scene.rng.random() < REFUSED_CARD_SHARE:
        payments.fail_checkout(scene.shop, customer, stage.item_basket(scene).price)
    if luck < BUYS_BOX_SHARE:
        stage.buy(scene, customer, stage.box_basket(scene))
    elif luck < BUYS_ITEMS_SHARE:
        stage.buy(scene, customer, stage.item_basket(scene))
    else:
        buy_gift(scene, customer, gifts.draw_kind(scene.rng))


def buy_gift(scene: SimulationContext, customer: Row, kind: str) -> None:
    """A gift of this kind. Gifting 1.0's redemption is a prepaid box that costs its new owner nothing."""
    gift = stage.draw_gift(scene, customer, kind)
    if gift.kind == "gift1_redeemed":
        basket = stage.box_basket(scene, scene.rng.choice((3, 6)))
    elif gift.kind == gifts.ASKED_SUBSCRIPTION:
        basket = stage.box_basket(scene)
    else:
        basket = stage.box_basket(scene) if scene.rng.random() < BUYS_BOX_SHARE else stage.item_basket(scene)
    stage.buy(scene, customer, basket, gift)


def ship_box(scene: SimulationContext, shipment_id: int) -> None:
    shipment = scene.shop.state.get("shipments", shipment_id)
    if shipment["status"] == "unshipped":
        tracking = f"94001{shipment_id:017}" if scene.rng.random() < 0.9 else None  # noqa: PLR2004 - as above
        boxes.ship(scene.shop, shipment, {"tracking_number": tracking})


def cancel_box(scene: SimulationContext, shipment_id: int) -> None:
    shipment = scene.shop.state.get("shipments", shipment_id)
    if shipment["status"] == "unshipped":
        boxes.cancel(scene.shop, shipment)


def end_term(scene: SimulationContext, subscription_id: int) -> None:
    """The term is over: renew, fail, or end it if autorenew is off."""
    subscription = scene.shop.state.get("subscriptions", subscription_id)
    due = dates.seconds(subscription["end_date"])
    if subscription["status"] != "active":
        return
    if due > scene.now:
        scene.schedule.add(due, "renewal", subscription_id)
    elif not subscription["autorenew"]:
        subscriptions.cancel(scene.shop, subscription, keep_boxes=True)
    elif scene.rng.random() < REFUSED_CARD_SHARE:
        subscriptions.fail_renewal(scene.shop, subscription)
        scene.schedule.add(scene.later(6), "try_again", subscription_id)
    else:
        renew(scene, subscription)


def renew(scene: SimulationContext, subscription: Row) -> None:
    stage.plan_boxes(scene, subscriptions.renew(scene.shop, subscription))
    scene.schedule.add(dates.seconds(subscription["end_date"]), "renewal", subscription["id"])


def retry_payment(scene: SimulationContext, subscription_id: int) -> None:
    """After a refused card: mostly a new card and a renewal, else the end."""
    subscription = scene.shop.state.get("subscriptions", subscription_id)
    if subscription["status"] != "past_due":
        return
    if scene.rng.random() < 0.7:  # noqa: PLR2004 - as above
        change_card(scene, subscription["_customer_id"])
        renew(scene, subscription)
    else:
        subscriptions.cancel(scene.shop, subscription)


def cancel(scene: SimulationContext, subscription_id: int) -> None:
    subscription = scene.shop.state.get("subscriptions", subscription_id)
    if subscription["status"] == "active":
        subscriptions.cancel(scene.shop, subscription, keep_boxes=scene.rng.random() < 0.5)  # noqa: PLR2004 - as above


def change_term(scene: SimulationContext, subscription_id: int) -> None:
    subscription = scene.shop.state.get("subscriptions", subscription_id)
    if subscription["status"] == "active":
        subscriptions.change_term(scene.shop, subscription)


def move_customer(scene: SimulationContext, customer_id: int) -> None:
    customers.move(scene.shop, scene.shop.state.get("customers", customer_id))


def change_card(scene: SimulationContext, customer_id: int) -> None:
    customers.change_billing(scene.shop, scene.shop.state.get("customers", customer_id))


def refund(scene: SimulationContext, order_id: int) -> None:
    """All of it or a part."""
    order = scene.shop.state.get("orders", order_id)
    payments.refund(scene.shop, order, scene.rng.choice((order["total"], max(1, order["total"] // 3))))


def restock(scene: SimulationContext, _: int) -> None:
    scene.schedule.add(scene.later(scene.gap / dates.DAY * 4), "restock")
    inventory.restock(scene.shop)


def change_theme(scene: SimulationContext, _: int) -> None:
    scene.schedule.add(scene.later(scene.gap / dates.DAY * 30), "redecorate")
    inventory.change_theme(scene.shop)


ACTIONS: dict[str, Callable[[SimulationContext, int], None]] = {
    "arrive": add_newcomer,
    "cancel": cancel,
    "cancel_box": cancel_box,
    "change_term": change_term,
    "move": move_customer,
    "new_card": change_card,
    "redecorate": change_theme,
    "refund": refund,
    "renewal": end_term,
    "restock": restock,
    "ship": ship_box,
    "shop_around": visit_shop,
    "try_again": retry_payment,
}

# These call themselves forever; they end with the life that began them.
RECURRING_ACTIONS = ("arrive", "restock", "redecorate")
