"""Orders placed over the API: for a customer the store has, of products it sells."""

from typing import Any

from flask import Blueprint, Response

from sandbox.store.api.fields import read
from sandbox.store.api.hooks import shop_for_api_writes
from sandbox.store.api.reads import render_or_400
from sandbox.store.api.responses import BAD_REQUEST, answer, body, refuse
from sandbox.store.shop import orders as shop
from sandbox.store.shop.gifts import Gift
from sandbox.store.state import Row
from sandbox.store.world import World


def orders(world: World) -> Blueprint:
    blueprint = Blueprint("orders", __name__)

    @blueprint.post("/v1/orders/")
    def place() -> Response:
        fields = read("orders", "POST", nested(body()), required="customer products")
        with world.state.lock:
            return answer(render_or_400(world, "orders", create_order(world, fields)), 201)

    return blueprint


def create_order(world: World, fields: Row) -> Row:
    """An order by API. It has only the message of a gift, so the recipient of such a gift is unknown."""
    customer = find_named_object(world, "customers", fields["customer"]["id"], "customer.id")
    lines = fields["products"]
    instances = [
        find_named_object(world, "product_instances", line["product_instance"]["id"], "product_instance.id")
        for line in lines
    ]
    counted = tuple(one for one, line in zip(instances, lines, strict=True) for _ in range(line.get("quantity", 1)))
    message = fields.get("order_gift_info", {}).get("gift_message")
    wishes = shop.OrderOptions(
        address_id=fields.get("ship_address_id") and destination(world, customer, fields["ship_address_id"]),
        card_id=fields.get("cust_pay_id"),
        coupon_ids=tuple(fields.get("coupons", ())),
    )
    basket = shop.Basket(counted, find_common_term(world, lines, instances))
    return shop.buy(
        shop_for_api_writes(world),
        customer,
        basket,
        Gift("gift2_message", message) if message is not None else None,
        wishes=wishes,
    )


def find_named_object(world: World, kind: str, row_id: int, name: str) -> Row:
    """The object that a body names. The path is right, so an unknown object is an error of the body: 400, not 404."""
    return world.state.find(kind, row_id) or refuse(BAD_REQUEST, f"{name} is not known")


def destination(world: World, customer: Row, address_id: int) -> int:
    address = find_named_object(world, "addresses", address_id, "ship_address_id")
    if address.get("_customer_id", address.get("_owner_id")) != customer["id"]:
        refuse(BAD_REQUEST, "ship_address_id is an address of another customer")
    return address_id


def find_common_term(world: World, lines: list[Row], instances: list[Row]) -> Row | None:
    """The common term of all boxes in the order, month to month if none is named; None for single items."""
    pairs = zip(lines, instances, strict=True)
    wanted = {line.get("term", {}).get("num_cycles", 1) for line, instance in pairs if instance["term_prices"]}
    if not wanted:
        return None
    if len(wanted) > 1:
        refuse(BAD_REQUEST, "the boxes of one order have one term")
    terms = [term for term in world.state.rows("terms") if term["num_cycles"] in wanted]
    return terms[0] if terms else refuse(BAD_REQUEST, "no term has so many cycles")


def nested(fields: dict[str, Any]) -> dict[str, Any]:
    """The body with `customer.id` written as an object: the documents print such names with a dot."""
    plain: dict[str, Any] = {}
    for name, value in fields.items():
        head, dot, rest = name.partition(".")
        inner = nested({rest: value}) if dot else unnest_value(value)
        known = plain.get(head)
        plain[head] = {**known, **inner} if isinstance(known, dict) and isinstance(inner, dict) else inner
    return plain


def unnest_value(value: Any) -> Any:
    if isinstance(value, list):
        return [unnest_value(item) for item in value]
    return nested(value) if isinstance(value, dict) else value
