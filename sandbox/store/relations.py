"""The relations of each kind of object, which of them are the default, and their shapes: object, list or URL."""

from collections.abc import Callable, Iterable
from typing import Any

from sandbox.store import shapes
from sandbox.store.state import Row, State

Relation = Callable[[State, Row], Any]


def ref(row: Row, name: str) -> int | None:
    """The id under `name`, shown or hidden."""
    value: int | None = row.get(name, row.get(f"_{name}"))
    return value


def one(kind: str, key: str, shape: Callable[[Row], Row] = shapes.plain) -> Relation:
    def relation(state: State, row: Row) -> Row | None:
        found = state.find(kind, ref(row, key))
        return shape(found) if found else None

    return relation


def many(kind: str, key: str, shape: Callable[[Row], Row] = shapes.plain) -> Relation:
    return lambda state, row: [shape(found) for found in state.of(kind, key, row["id"])]


def listed(kind: str, key: str) -> Relation:
    return lambda state, row: [shapes.plain(state.get(kind, found)) for found in row[key]]


def metadata_of(kind: str) -> Relation:
    return lambda state, row: shapes.metadata(state, kind, row)


def fulfillments(state: State, shipment: Row) -> list[Row]:
    return [fulfillment(state, row) for row in state.of("fulfillments", "shipment_id", shipment["id"])]


def fulfillment(state: State, row: Row) -> Row:
    order = state.get("orders", row["_order_id"])
    instance = state.get("product_instances", row["_instance_id"])
    return shapes.plain(row) | {
        "instance": shapes.shelved_instance(state, instance),
        "order": shapes.plain(order) | {"customer": customer(state, order)} | subscriptions_of(state, order),
    }


def subscriptions_of(state: State, order: Row) -> Row:
    """The subscriptions of an order, as a box shows them."""
    return {"subscriptions": [shapes.plain(state.get("subscriptions", one)) for one in order["_subscription_ids"]]}


def order_of_transaction(state: State, row: Row) -> Row:
    order = state.get("orders", row["_order_id"])
    return shapes.plain(order) | {"customer": customer(state, order)}


def stats(_state: State, shipment: Row) -> Row:
    return {"customer_cycle": shipment["_cust_cycle"], "has_addon": False, "subscription_cycle": shipment["_sub_cycle"]}


def shipment_subscriptions(state: State, shipment: Row) -> list[Row]:
    found = state.find("subscriptions", shipment["_subscription_id"])
    return [shapes.plain(found)] if found else []


def nothing(_state: State, _row: Row) -> None:
    """A documented relation to an object that this store never has."""


def none_of_many(_state: State, _row: Row) -> list[Row]:
    """A documented relation to objects that this store never has."""
    return []


def product_of_subscription(state: State, row: Row) -> Row:
    """The long form. Seen inside a subscription its `ship_option` is a number; which number means what is not known."""
    return shapes.plain(state.get("products", row["_product_id"])) | {"ship_option": FLAT}


FLAT = 1

customer = one("customers", "customer_id", shapes.short_customer)
instance = one("product_instances", "instance_id", shapes.short_instance)
address = one("addresses", "address_id")

RELATIONS: dict[str, dict[str, Relation]] = {
    "customers": {
        "addresses": many("addresses", "customer_id"),
        "_md": metadata_of("customers"),
        "carts": none_of_many,
        "logs": none_of_many,
        "notes": none_of_many,
        "orders": many("orders", "customer_id"),
        "shipments": many("shipments", "customer_id"),
        "subscriptions": many("subscriptions", "customer_id"),
    },
    "addresses": {},
    "orders": {
        "customer": customer,
        "products": lambda _state, row: list(row["_products"]),
        "_md": metadata_of("orders"),
        "bill_address": address,
        "cart": nothing,
        "coupons": lambda _state, row: list(row["_coupons"]),
        "fulfillments": many("fulfillments", "order_id"),
        "gifts": none_of_many,
        "logs": none_of_many,
        "sent_gift": nothing,
        "ship_address": address,
        "subscriptions": listed("subscriptions", "_subscription_ids"),
        "transactions": many("transactions", "order_id"),
    },
    "subscriptions": {
        "customer": customer,
        "billing": one("product_billings", "product_billing_id"),
        "term": one("terms", "term_id"),
        "product": product_of_subscription,
        "product_instance": instance,
        "subscription_gift_info": shapes.gift_info,
        "address": address,
        "_md": metadata_of("subscriptions"),
        "cart_products": none_of_many,
        "coupons": many("subscription_coupons", "subscription_id"),
        "fulfillments": many("fulfillments", "subscription_id"),
        "instance": instance,
        "logs": lambda _state, row: list(row["_logs"]),
        "orders": listed("orders", "_order_ids"),
        "shipments": many("shipments", "subscription_id"),
    },
    "shipments": {
        "customer": customer,
        "fulfillments": fulfillments,
        "labels": lambda _state, _row: [],
        "ship_address": address,
        "_md": metadata_of("shipments"),
        "batch": one("shipment_batches", "batch_id"),
        "label_batch": nothing,
        "stats": stats,
        "subscriptions": shipment_subscriptions,
    },
    "products": {
        "billing": one("product_billings", "product_billing_id"),
        "instances": many("product_instances", "product_id"),
        "_md": metadata_of("products"),
        "base_term_prices": none_of_many,
        "gift_instances": none_of_many,
        "gift_term_prices": none_of_many,
        "gift_terms": none_of_many,
        "images": none_of_many,
        "meta": nothing,
        "metadata": metadata_of("products"),
        "rule_types": none_of_many,
        "subscription_types": none_of_many,
        "variants": none_of_many,
    },
    "product_instances": {"product": one("products", "product_id")},
    "transactions": {"order": order_of_transaction},
    "inventory": {
        "product": one("products", "product_id"),
        "product_instance": one("product_instances", "product_instance_id"),
    },
}

DEFAULTS: dict[str, tuple[str, ...]] = {
    "customers": ("addresses", "_md"),
    "orders": ("customer", "products"),
    "subscriptions": (
        "customer", "billing", "term", "product", "product_instance", "subscription_gift_info", "address",
    ),
    "shipments": ("customer", "fulfillments", "labels", "ship_address"),
    "products": ("billing", "instances"),
    "product_instances": ("product",),
    "transactions": ("order",),
}  # fmt: skip


class UnknownRelation(ValueError):
    """`with` names a relation that this kind of object does not have."""


def wanted(kind: str, text: str | None) -> Iterable[str]:
    """The relations that `with` names. A list replaces the defaults; an empty list includes none."""
    known = RELATIONS.get(kind, {})
    if text is None:
        return DEFAULTS.get(kind, ())
    if text == "all":
        return known
    names = [name.strip() for name in text.split(",") if name.strip()]
    strangers = [name for name in names if name not in known]
    if strangers:
        raise UnknownRelation(f"Invalid query parameter 'with': {kind} have no relation {', '.join(strangers)}")
    return names


def expand(state: State, kind: str, row: Row, names: Iterable[str], shape: Callable[[Row], Row] = shapes.plain) -> Row:
    return shape(row) | {name: RELATIONS[kind][name](state, row) for name in names}


def link(kind: str, row: Row, name: str) -> str:
    """The URL of a relation; that of a customer is its own, all others are below their object."""
    owner = ref(row, "customer_id")
    return f"/v1/customers/{owner}" if name == "customer" and owner else f"/v1/{kind}/{row['id']}/{name}"


def with_links(kind: str, row: Row, names: Iterable[str], shape: Callable[[Row], Row] = shapes.plain) -> Row:
    return shape(row) | {name: link(kind, row, name) for name in names}
