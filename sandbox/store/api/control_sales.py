"""Sales on request, the simulated time, and SKUs. Not part of Cratejoy."""

from dataclasses import replace

from flask import Blueprint, Response

from sandbox.store import dates
from sandbox.store.api.control_boxes import read
from sandbox.store.api.fields import (
    ADDRESS,
    Reader,
    boolean,
    count,
    date,
    email,
    integer,
    list_of,
    nullable,
    object_with,
    text,
)
from sandbox.store.api.responses import BAD_REQUEST, answer, body, refusal
from sandbox.store.fake_people import Person
from sandbox.store.shop.sales import Sale, build_gift, sell
from sandbox.store.shop.shop import NullListener
from sandbox.store.state import Row
from sandbox.store.world import World

SALE: dict[str, Reader] = {
    "customer_id": integer,
    "buyer": object_with("name email", name=text, email=email),
    "billing": text,
    "cycles": count,
    "skus": list_of(text),
    "addons": list_of(text),
    "gift": object_with("name", name=text, email=nullable(text), message=text),
    "address": object_with("", **ADDRESS),
    "target": date,
    "is_paid": boolean,
    "is_test": boolean,
    "shipping": integer,
    "into_shipment": integer,
}


def control_sales(world: World) -> Blueprint:
    blueprint = Blueprint("control_sales", __name__, url_prefix="/_sandbox")
    blueprint.register_error_handler(ValueError, lambda error: refusal(BAD_REQUEST, str(error)))

    @blueprint.post("/sales")
    def make_sale() -> Response:
        """Buy: `{}` is a paid box of a new customer's monthly subscription; `count` of them, `silent` without hooks."""
        given = read(SALE | {"count": count, "silent": boolean}, body())
        number, is_silent = given.pop("count", None), given.pop("silent", False)
        with world.state.lock:
            shop = replace(world.shop, listener=NullListener()) if is_silent else world.shop
            sales = [sold(world, sell(shop, to_sale(world, given))) for _ in range(number or 1)]
            return answer({"sales": sales} if number else sales[0], 201)

    @blueprint.post("/clock")
    def set_clock() -> Response:
        """`{"now": …}`: the simulated time, which only goes forward."""
        with world.state.lock:
            world.state.now = max(world.state.now, dates.seconds(text(body().get("now"))))
            return answer({"now": dates.iso(world.state.now)})

    @blueprint.post("/skus")
    def rename_sku() -> Response:
        """`{"from": "SQ…-1", "to": ""}` gives an instance another SKU, `"product": true` its product as well."""
        given = {"product": False} | read({"from": text, "to": text, "product": boolean}, body())
        if not {"from", "to"} <= given.keys():
            raise ValueError("from and to are needed")
        with world.state.lock:
            for instance in world.state.rows("product_instances"):
                if instance["sku"] == given["from"]:
                    instance["sku"] = given["to"]
                    if given["product"]:
                        world.state.get("products", instance["product_id"])["sku"] = given["to"]
            return answer({})

    return blueprint


def to_sale(world: World, given: Row) -> Sale:
    """The sale that a request describes."""
    fields = dict(given)
    buyer, gift = fields.pop("buyer", None), fields.pop("gift", None)
    if buyer:
        first, _, last = buyer["name"].partition(" ")
        fields["buyer"] = Person(first, last or None, buyer["name"], buyer["email"])
    if gift:
        known = world.state.find("customers", given.get("customer_id"))
        buyers = buyer["email"] if buyer else known["email"] if known else None
        fields["gift"] = build_gift(gift["name"], gift.get("email"), gift.get("message", ""), buyers)
    if "target" in fields:
        fields["target"] = dates.seconds(fields["target"])
    for name in ("skus", "addons"):
        fields[name] = tuple(fields.get(name, ()))
    return Sale(**fields)


def sold(world: World, order: Row) -> Row:
    fulfillments = world.state.of("fulfillments", "order_id", order["id"])
    return {
        "customer_id": order["customer_id"],
        "order_id": order["id"],
        "subscription_id": next(iter(order["_subscription_ids"]), None),
        "shipment_ids": list(dict.fromkeys(row["shipment_id"] for row in fulfillments)),
    }
