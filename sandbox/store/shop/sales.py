"""Sales made to order: who buys what, for whom, when the boxes are due, and whether it is paid."""

from dataclasses import dataclass

from sandbox.store import catalogue
from sandbox.store.fake_people import Person, fold_email
from sandbox.store.shop import boxes, customers, orders, payments, subscriptions
from sandbox.store.shop.gifts import Gift
from sandbox.store.shop.shop import Shop, emit_order_event
from sandbox.store.state import Row, State

BILLINGS = ("standard", "adhoc", "ecom")


class BadSale(ValueError):
    """A sale that cannot be made."""


@dataclass(frozen=True)
class Sale:
    """What is left out is made up or has its usual value. `target` is the first box's date in seconds."""

    customer_id: int | None = None
    buyer: Person | None = None
    billing: str = "standard"
    cycles: int = 1
    skus: tuple[str, ...] = ()  # a subscription takes the first; `addons` lie in its first box
    addons: tuple[str, ...] = ()
    gift: Gift | None = None
    address: Row | None = None
    target: int | None = None
    is_paid: bool = True
    is_test: bool = False
    shipping: int | None = None
    into_shipment: int | None = None


def sell(shop: Shop, sale: Sale) -> Row:
    """Make the sale; fires what a purchase fires. Returns the order."""
    if sale.billing not in BILLINGS:
        raise BadSale(f"billing is one of {', '.join(BILLINGS)}")
    instances = choose_instances(shop.state, sale)
    term = None if sale.billing == "ecom" else find_term(shop.state, sale.cycles)
    waiting = find_waiting_box(shop.state, sale.into_shipment)
    order = place(shop, sale, orders.Basket(instances, term))
    if waiting:
        boxes.add_to_box(shop, waiting, order, instances)
    elif term is None:
        boxes.pack_items(shop, order, instances, sale.target)
    else:
        subscribe(shop, sale, order, term)
    return order


def place(shop: Shop, sale: Sale, basket: orders.Basket) -> Row:
    customer = find_customer(shop, sale)
    owner = "_owner_id" if sale.gift else "_customer_id"
    address = customers.add_address(shop, {owner: customer["id"], **sale.address}) if sale.address else None
    wishes = orders.OrderOptions(address_id=address["id"] if address else None)
    order = orders.place(shop, customer, basket, sale.gift, test=sale.is_test, wishes=wishes)
    order["financial_status"] = "paid" if sale.is_paid else "unpaid"
    if sale.shipping is not None:
        order.update(total_shipping=sale.shipping, gross_shipping=sale.shipping)
    emit_order_event(shop, "order_new", order)
    if sale.is_paid and order["total"]:
        payments.pay(shop, order)
    return order


def subscribe(shop: Shop, sale: Sale, order: Row, term: Row) -> None:
    """Open the subscription, and put what is bought once into its first box."""
    instance = choose_instances(shop.state, sale)[0]
    billing = adhoc_billing(shop.state) if sale.billing == "adhoc" else None
    dates_of_boxes = subscriptions.BoxDates(sale.target, billing)
    subscription = subscriptions.create_subscription(shop, order, instance, term, sale.gift, dates_of_boxes)
    addons = [find_instance(shop.state, sku) for sku in sale.addons]
    boxes.add_to_box(shop, shop.state.of("shipments", "subscription_id", subscription["id"])[0], order, addons)


def find_customer(shop: Shop, sale: Sale) -> Row:
    if sale.customer_id is None:
        return customers.register(shop, sale.buyer)
    found = shop.state.find("customers", sale.customer_id)
    if found is None:
        raise BadSale("customer_id is not known")
    return found


def choose_instances(state: State, sale: Sale) -> tuple[Row, ...]:
    if sale.skus:
        return tuple(find_instance(state, sku) for sku in sale.skus)
    return ((catalogue.items if sale.billing == "ecom" else catalogue.boxes)(state)[0],)


def find_instance(state: State, sku: str) -> Row:
    found = next((row for row in state.rows("product_instances") if row["sku"] == sku), None)
    if found is None:
        raise BadSale(f"nothing has the SKU {sku}")
    return found


def find_term(state: State, cycles: int) -> Row:
    found = next((term for term in state.rows("terms") if term["num_cycles"] == cycles), None)
    if found is None:
        raise BadSale("no term has so many cycles")
    return found


def find_waiting_box(state: State, shipment_id: int | None) -> Row | None:
    found = state.find("shipments", shipment_id)
    if shipment_id is not None and (found is None or found["status"] != "unshipped"):
        raise BadSale("into_shipment is no box that waits")
    return found


def adhoc_billing(state: State) -> int:
    """The billing of those who each renew on a day of their own; it has no day."""
    for row in state.rows("product_billings"):
        if row["rebill_day"] is None:
            return int(row["id"])
    none = {"rebill_day": None, "rebill_window": None}
    return int(state.insert("product_billings", catalogue.monthly_billing(state) | none)["id"])


def build_gift(name: str, email: str | None, message: str, buyers_email: str | None) -> Gift:
    """A gift of today's kind; without a usable e-mail its recipient cannot be reached."""
    recipient = fold_email(email) if email else None
    if recipient is None:
        return Gift("gift3_missing", message, name, email)
    is_own = recipient == fold_email(buyers_email or "")
    return Gift("gift3_own_address" if is_own else "gift3", message, name, email, None if is_own else recipient)
