"""A shipment of Cratejoy as the fulfilment reads it: the same from a row of a v1.1 list and from an object of v1.

Names, addresses and messages are kept out of `repr`, so that no log has them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pipeline.core.fulfilment import BillingType, Kind


@dataclass(frozen=True, slots=True)
class Batch:
    """The boxes of one product that leave together after its end."""

    id: int | None
    starts_at: int | None = None  # µs
    ends_at: int | None = None  # µs


@dataclass(frozen=True, slots=True)
class Buyer:
    """The customer behind an order: who pays, and not always who gets the box."""

    id: int | None = None
    name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription behind a box."""

    id: int
    status: str = ""  # empty: not shown
    starts_at: int | None = None  # µs


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """The Cratejoy order behind an item. It may pay for several boxes: its own status says nothing about one."""

    id: int
    financial_status: str = ""  # empty: not shown, as in v1.1
    placed_at: int | None = None  # µs
    is_renewal: bool = False
    is_gift: bool = False
    total_shipping: int = 0  # minor units
    gift_message: str = field(default="", repr=False)
    gift_recipient_email: str = field(default="", repr=False)
    buyer: Buyer = Buyer()
    subscriptions: tuple[Subscription, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a box: a fulfillment of Cratejoy, which has no quantity."""

    id: int
    status: str = ""  # open, closed, cancelled; empty: not shown, as in v1.1
    subscription_id: int | None = None
    instance_id: int | None = None
    sku: str = ""  # of the product instance, or of its product
    name: str = ""
    variants: tuple[tuple[str, str], ...] = ()  # (Size, Medium)
    is_gift: bool = False  # Gifting 1.0's mark
    price: int = 0  # minor units
    shipping: int = 0  # minor units
    tax: int = 0  # minor units
    order: PaidOrder | None = None


@dataclass(frozen=True, slots=True)
class RawAddress:
    """An address as the shipment has it."""

    to: str = field(default="", repr=False)
    company: str = field(default="", repr=False)
    street: str = field(default="", repr=False)
    unit: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    state: str = field(default="", repr=False)
    zip: str = field(default="", repr=False)
    country: str = ""
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Listed:
    """What only a v1.1 list shows surely; kept with the order for the reading by id that comes before the sending."""

    billing_type: BillingType | None = None
    batch: Batch | None = None
    sub_cycle: int | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """One box at Cratejoy. `is_whole`: read by id in v1, which alone shows payment and the present address."""

    id: int
    status: str  # unshipped, shipped, cancelled, or a word that is not known
    is_whole: bool = False
    asked_at: int | None = field(default=None, compare=False)  # µs: when the request for it was sent; None: not known
    billing_type: BillingType | None = None
    is_ecom: bool | None = None
    is_test: bool = False
    is_gift: bool = False
    adjusted_ordered_at: int | None = None  # µs
    created_at: int | None = None  # µs
    shipped_at: int | None = None  # µs
    tracking_number: str = ""
    sub_cycle: int | None = None  # from 1, over the whole subscription
    batch: Batch | None = None
    batch_id: int | None = None
    customer_id: int | None = None
    ship_to: RawAddress | None = None
    items: tuple[Item, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()  # the shipment's own list, which v1 has

    @property
    def open_items(self) -> tuple[Item, ...]:
        """Return what is to be packed: the items that are not cancelled."""
        return tuple(item for item in self.items if item.status != "cancelled")

    @property
    def orders(self) -> tuple[PaidOrder, ...]:
        """Return the orders that pay for what is to be packed, each once, by id."""
        return tuple(sorted({item.order.id: item.order for item in self.open_items if item.order}.values(), key=_id))

    @property
    def subscription_ids(self) -> tuple[int, ...]:
        """Return the ids of the subscriptions whose items are to be packed, ascending."""
        return tuple(sorted({item.subscription_id for item in self.open_items if item.subscription_id is not None}))

    @property
    def listed(self) -> Listed:
        """Return what has to be kept for the reading by id."""
        return Listed(self.billing_type, self.batch, self.sub_cycle)

    def complete(self, listed: Listed) -> Shipment:
        """Return the shipment with what an earlier list has shown, where this reading does not show it."""
        batch = self.batch if self.batch and self.batch.ends_at is not None else listed.batch or self.batch
        return replace(
            self,
            billing_type=self.billing_type or listed.billing_type,
            batch=batch,
            sub_cycle=self.sub_cycle if self.sub_cycle is not None else listed.sub_cycle,
        )


def find_kind(shipment: Shipment) -> Kind:
    """Return what the prefix of the order number says. A box with a subscription and an add-on is a subscription's."""
    if shipment.billing_type:
        return "order" if shipment.billing_type == "ecom" else "subscription"
    if shipment.is_ecom is not None:
        return "order" if shipment.is_ecom else "subscription"
    return "subscription" if any(item.subscription_id is not None for item in shipment.items) else "order"


def find_billing_type(shipment: Shipment) -> BillingType | None:
    """Return the billing type, or None: a subscription without a batch can be one whose batch was not shown."""
    if shipment.billing_type:
        return shipment.billing_type
    if find_kind(shipment) == "order":
        return "ecom"
    return "standard" if shipment.batch or shipment.batch_id is not None else None


def find_subscriptions(shipment: Shipment) -> tuple[Subscription, ...]:
    """Return the subscriptions of the items, with the best known status of each, by id."""
    shown: dict[int, Subscription] = {}
    of_orders = (one for order in shipment.orders for one in order.subscriptions)
    for one in (*shipment.subscriptions, *of_orders):
        if one.id not in shown or not shown[one.id].status:
            shown[one.id] = one
    return tuple(shown.get(id_, Subscription(id_)) for id_ in shipment.subscription_ids)


def _id(order: PaidOrder) -> int:
    return order.id
