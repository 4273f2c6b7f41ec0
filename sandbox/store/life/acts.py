"""What people and the merchant do of themselves, each as a function of the scene and a subject's id."""

from collections.abc import Callable

from sandbox.store import dates
from sandbox.store.life import scene as stage
from sandbox.store.life.scene import Scene
from sandbox.store.shop import boxes, customers, renewals, stock, subscriptions, till
from sandbox.store.shop.gifts import draw_kind
from sandbox.store.state import Row

BUYS_BOX, BUYS_ITEMS = 0.62, 0.84  # the rest are gifts
REFUSED_CARD = 0.10


def arrive(scene: Scene, _: int) -> None:
    """Somebody new: most buy at once, some only look around first. Then the next one is due."""
    scene.agenda.add(scene.now + 1 + int(scene.rng.expovariate(1 / scene.gap)), "arrive")
    customer = customers.register(scene.shop)
    plan_person(scene, customer)
    if scene.rng.random() < 0.15:  # noqa: PLR2004 - a share like those above, used once
        scene.agenda.add(scene.later(9), "shop_around", customer["id"])
        return
    shop_around(scene, customer["id"])


def plan_person(scene: Scene, customer: Row) -> None:
    for act, days in (("move", 50), ("new_card", 50), ("buy_again", 45)):
        if scene.chance(act):
            later = "shop_around" if act == "buy_again" else act
            scene.agenda.add(scene.later(days), later, customer["id"])


def shop_around(scene: Scene, customer_id: int) -> None:
    """A visit to the shop that ends with an order, now and then after a card that was refused."""
    customer = scene.shop.state.get("customers", customer_id)
    luck = scene.rng.random()
    if scene.rng.random() < REFUSED_CARD:
        till.fail_checkout(scene.shop, customer, stage.item_basket(scene).price)
    if luck < BUYS_BOX:
        stage.buy(scene, customer, stage.box_basket(scene))
    elif luck < BUYS_ITEMS:
        stage.buy(scene, customer, stage.item_basket(scene))
    else:
        give(scene, customer, draw_kind(scene.rng))


def give(scene: Scene, customer: Row, kind: str) -> None:
    """A gift of this kind. Gifting 1.0's redemption is a prepaid box that costs its new owner nothing."""
    gift = stage.draw_gift(scene, customer, kind)
    if gift.kind == "gift1_redeemed":
        basket = stage.box_basket(scene, scene.rng.choice((3, 6)))
    else:
        basket = stage.box_basket(scene) if scene.rng.random() < BUYS_BOX else stage.item_basket(scene)
    stage.buy(scene, customer, basket, gift)


def ship(scene: Scene, shipment_id: int) -> None:
    shipment = scene.shop.state.get("shipments", shipment_id)
    if shipment["status"] == "unshipped":
        tracking = f"94001{shipment_id:017}" if scene.rng.random() < 0.9 else None  # noqa: PLR2004 - as above
        boxes.ship(scene.shop, shipment, {"tracking_number": tracking})


def cancel_box(scene: Scene, shipment_id: int) -> None:
    shipment = scene.shop.state.get("shipments", shipment_id)
    if shipment["status"] == "unshipped":
        boxes.cancel(scene.shop, shipment)


def renewal(scene: Scene, subscription_id: int) -> None:
    """The term is over: renew, fail, or, if nobody wants it renewed, end it."""
    subscription = scene.shop.state.get("subscriptions", subscription_id)
    due = dates.seconds(subscription["end_date"])
    if subscription["status"] != "active":
        return
    if due > scene.now:
        scene.agenda.add(due, "renewal", subscription_id)
    elif not subscription["autorenew"]:
        subscriptions.cancel(scene.shop, subscription, keep_boxes=True)
    elif scene.rng.random() < REFUSED_CARD:
        renewals.fail_renewal(scene.shop, subscription)
        scene.agenda.add(scene.later(6), "try_again", subscription_id)
    else:
        renew(scene, subscription)


def renew(scene: Scene, subscription: Row) -> None:
    stage.plan_boxes(scene, renewals.renew(scene.shop, subscription))
    scene.agenda.add(dates.seconds(subscription["end_date"]), "renewal", subscription["id"])


def try_again(scene: Scene, subscription_id: int) -> None:
    """After a refused card: mostly a new card and a renewal, else the end."""
    subscription = scene.shop.state.get("subscriptions", subscription_id)
    if subscription["status"] != "past_due":
        return
    if scene.rng.random() < 0.7:  # noqa: PLR2004 - as above
        new_card(scene, subscription["_customer_id"])
        renew(scene, subscription)
    else:
        subscriptions.cancel(scene.shop, subscription)


def cancel(scene: Scene, subscription_id: int) -> None:
    subscription = scene.shop.state.get("subscriptions", subscription_id)
    if subscription["status"] == "active":
        subscriptions.cancel(scene.shop, subscription, keep_boxes=scene.rng.random() < 0.5)  # noqa: PLR2004 - as above


def change_term(scene: Scene, subscription_id: int) -> None:
    subscription = scene.shop.state.get("subscriptions", subscription_id)
    if subscription["status"] == "active":
        subscriptions.change_term(scene.shop, subscription)


def move(scene: Scene, customer_id: int) -> None:
    customers.move(scene.shop, scene.shop.state.get("customers", customer_id))


def new_card(scene: Scene, customer_id: int) -> None:
    customers.change_billing(scene.shop, scene.shop.state.get("customers", customer_id))


def refund(scene: Scene, order_id: int) -> None:
    """All of it or a part."""
    order = scene.shop.state.get("orders", order_id)
    till.refund(scene.shop, order, scene.rng.choice((order["total"], max(1, order["total"] // 3))))


def restock(scene: Scene, _: int) -> None:
    scene.agenda.add(scene.later(scene.gap / dates.DAY * 4), "restock")
    stock.deliver(scene.shop)


def redecorate(scene: Scene, _: int) -> None:
    scene.agenda.add(scene.later(scene.gap / dates.DAY * 30), "redecorate")
    stock.redecorate(scene.shop)


ACTS: dict[str, Callable[[Scene, int], None]] = {
    "arrive": arrive,
    "cancel": cancel,
    "cancel_box": cancel_box,
    "change_term": change_term,
    "move": move,
    "new_card": new_card,
    "redecorate": redecorate,
    "refund": refund,
    "renewal": renewal,
    "restock": restock,
    "ship": ship,
    "shop_around": shop_around,
    "try_again": try_again,
}

# These call themselves forever; they end with the life that began them.
ENDLESS = ("arrive", "restock", "redecorate")
