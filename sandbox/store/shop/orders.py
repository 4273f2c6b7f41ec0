"""Orders: bought or given, and what is packed for them."""

from collections import Counter
from dataclasses import dataclass

from sandbox.store import catalogue, dates
from sandbox.store.shop import boxes, channels, inventory, payments, subscriptions
from sandbox.store.shop.customers import add_address
from sandbox.store.shop.gifts import Gift, build_received_gift
from sandbox.store.shop.shop import Shop, emit_order_event, get_buyer
from sandbox.store.state import Row

SHIPPING = (0, 0, 495, 795, 1250)
SHIP_TO_BUYER_SHARE = 0.2  # this share of gifts is sent to the buyer


@dataclass(frozen=True)
class Basket:
    """What is bought, as often as it is in there: boxes for a term, and single items."""

    instances: tuple[Row, ...]
    term: Row | None = None

    @property
    def boxes(self) -> list[Row]:
        return [instance for instance in self.instances if instance["term_prices"]]

    @property
    def items(self) -> list[Row]:
        return [instance for instance in self.instances if not instance["term_prices"]]

    @property
    def lines(self) -> list[tuple[Row, int]]:
        """Each distinct item with its quantity."""
        counts = Counter(instance["id"] for instance in self.instances)
        distinct = {instance["id"]: instance for instance in self.instances}
        return [(instance, counts[number]) for number, instance in distinct.items()]

    @property
    def price(self) -> int:
        term_id = self.term["id"] if self.term else None
        return sum(catalogue.price_of(instance, term_id) for instance in self.instances)


@dataclass(frozen=True)
class OrderOptions:
    """Where it is placed; and of an order by API its address, the saved card and the coupons."""

    address_id: int | None = None
    card_id: int | None = None
    coupon_ids: tuple[int, ...] = ()
    channel: str = channels.STOREFRONT


DEFAULT_OPTIONS = OrderOptions()


def buy(
    shop: Shop,
    customer: Row,
    basket: Basket,
    gift: Gift | None = None,
    *,
    test: bool = False,
    wishes: OrderOptions = DEFAULT_OPTIONS,
) -> Row:
    """Place and pay an order, pack its boxes; fires order_new, transaction_new, subscription_new."""
    order = place(shop, customer, basket, gift, test=test, wishes=wishes)
    emit_order_event(shop, "order_new", order)
    if order["total"]:
        payments.pay(shop, order)
    if basket.term:
        for instance in basket.boxes:
            subscriptions.create_subscription(shop, order, instance, basket.term, gift)
    if basket.items:
        boxes.pack_items(shop, order, basket.items)
        inventory.sell(shop, basket.items)
    return order


def place(shop: Shop, customer: Row, basket: Basket, gift: Gift | None, *, test: bool, wishes: OrderOptions) -> Row:
    order = blank_order(shop, customer, basket, wishes.channel, test=test)
    if gift:
        mark_as_gift(shop, order, customer, gift)
    order["_address_id"] = wishes.address_id or choose_address(shop, customer, gift)
    order["_card_id"] = wishes.card_id
    order["_coupons"] = [coupon(shop, coupon_id) for coupon_id in wishes.coupon_ids]
    return store_order(shop, order)


def coupon(shop: Shop, coupon_id: int) -> Row:
    """A coupon in an order; its effect on the price is not simulated."""
    return {"code_used": f"CODE{coupon_id}", "coupon_id": coupon_id, "id": shop.state.new_id(), "type": "coupon"}


def store_order(shop: Shop, order: Row) -> Row:
    """Keep the order and count it for its customer."""
    shop.state.insert("orders", order)
    channels.remember_order(shop.state, order)
    customer = get_buyer(shop, order)
    customer["num_orders"] += 1
    customer["total_revenue"] += order["total"]
    return order


def blank_order(shop: Shop, customer: Row, basket: Basket, channel: str, *, test: bool) -> Row:
    order_id = shop.state.new_id()
    shipping, tax = shop.rng.choice(SHIPPING), basket.price * shop.rng.choice((0, 0, 6, 8)) // 100
    total = basket.price + shipping + tax
    return {
        "card_refunded_amount": 0,
        "credit_applied": 0,
        "customer_id": customer["id"],
        "financial_status": "paid",
        "fulfillment_status": "unfulfilled",
        "gift_card_discount": 0,
        "gift_message": shop.rng.choice(("", "", None)),
        "gift_renewal_notif": False,
        "gross_shipping": shipping,
        "id": order_id,
        "is_gift": False,
        "is_renewal": False,
        "is_test": test,
        "note": None,
        "order_gift_info": None,
        "placed_at": dates.iso(shop.state.tick(2)),
        "prorated_charge": None,
        "refund_applied": None,
        "refunded_amount": 0,
        "source": channels.get_source(shop.state.switches, channel),
        "status": "open",
        "store_id": shop.state.switches.store_id,
        "sub_total": basket.price,
        "total": total,
        "total_app_fees": None,
        "total_label_cost": None,
        "total_pending_fees": None,
        "total_price": total,
        "total_shipping": shipping,
        "total_tax": tax,
        "transaction_fee": 0,
        "transaction_fee_status": None,
        "type": "order",
        "url": f"/v1/orders/{order_id}/",
        "_card_id": None,
        "_channel": channel,
        "_coupons": [],
        "_gift": None,
        "_known": False,
        "_products": [cart_product(shop, instance, basket, quantity) for instance, quantity in basket.lines],
        "_recipient": None,
        "_subscription_ids": [],
        "_sent": False,
    }


def cart_product(shop: Shop, instance: Row, basket: Basket, quantity: int) -> Row:
    """A line of the order. The documents' field list did not survive; this is the least that makes sense."""
    return {
        "id": shop.state.new_id(),
        "price": catalogue.price_of(instance, basket.term["id"] if basket.term else None),
        "product_instance": {key: instance[key] for key in ("id", "name", "product_id", "sku", "type")},
        "quantity": quantity,
        "type": "cart_product",
    }


def mark_as_gift(shop: Shop, order: Row, customer: Row, gift: Gift) -> None:
    """Mark the order as a gift. A redemption of Gifting 1.0 costs nothing and lacks the newer keys."""
    order.update(_gift=gift.kind, _recipient=gift.recipient)
    if gift.kind != "gift1_redeemed":
        order.update(is_gift=True, order_gift_info=gift.info(shop.state.new_id()))
        return
    for key in ("is_gift", "order_gift_info"):
        del order[key]
    sent = dates.iso(dates.midnight(shop.state.now))
    order.update(received_gift=build_received_gift(gift, customer, shop.state.new_id(), sent), sent_gift=None)
    for key in ("gross_shipping", "sub_total", "total", "total_price", "total_shipping", "total_tax"):
        order[key] = 0


def choose_address(shop: Shop, customer: Row, gift: Gift | None) -> int:
    """The address a box goes to: that of the buyer, or for most gifts a new address with the recipient's name."""
    home = shop.state.get("addresses", customer["_address_id"])
    if gift is None or gift.kind in {"gift1_redeemed", "gift2_message"} or shop.rng.random() < SHIP_TO_BUYER_SHARE:
        return int(home["id"])
    copied = {key: home[key] for key in ("city", "state", "zip_code", "country", "icon")}
    street = f"{shop.rng.randrange(1, 999)} Gift Lane"
    return int(add_address(shop, {**copied, "street": street, "to": gift.name, "_owner_id": customer["id"]})["id"])
