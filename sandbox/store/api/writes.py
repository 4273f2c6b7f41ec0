"""Writing: what documents or working code change on customers, addresses, orders, shipments and products."""

from typing import Any

from flask import Blueprint, Response

from sandbox.store.api.answers import BAD_REQUEST, answer, body, refuse, truthy, whole
from sandbox.store.api.hooks import voice
from sandbox.store.api.reads import existing, shown
from sandbox.store.shop import boxes, customers, orders
from sandbox.store.shop.gifts import Gift
from sandbox.store.state import Row
from sandbox.store.world import World

CUSTOMER = ("first_name", "last_name", "email")
ADDRESS = ("to", "street", "unit", "city", "state", "zip_code", "country", "company", "phone_number")
SHIPMENT = ("tracking_number", "shipped_at", "adjusted_ordered_at")
PRODUCT = ("name", "ship_weight", "visible")


def writes(world: World) -> Blueprint:  # noqa: C901 - one branch-free view after the other
    blueprint = Blueprint("writes", __name__)

    @blueprint.put("/v1/customers/<int:row_id>/")
    def customer(row_id: int) -> Response:
        fields = body()
        with world.state.lock:
            row = existing(world, "customers", row_id)
            row.update(only(fields, CUSTOMER))
            row["name"] = " ".join(filter(None, (row["first_name"], row["last_name"])))
            if "note" in fields:
                # A note is put before the old one, with a line break.
                row["note"] = "\n".join(filter(None, (fields["note"], row["note"])))
            return answer(shown(world, "customers", row))

    @blueprint.post("/v1/customers/<int:row_id>/addresses/")
    def new_address(row_id: int) -> Response:
        fields = only(body(), ADDRESS)
        with world.state.lock:
            existing(world, "customers", row_id)
            made = customers.add_address(voice(world), {**fields, "_customer_id": row_id})
            return answer(shown(world, "addresses", made), 201)

    @blueprint.put("/v1/addresses/<int:row_id>/")
    def address(row_id: int) -> Response:
        fields = only(body(), ADDRESS)
        with world.state.lock:
            row = existing(world, "addresses", row_id)
            customers.change_address(voice(world), row, fields)
            return answer(shown(world, "addresses", row))

    @blueprint.put("/v1/orders/<int:row_id>/")
    def order(row_id: int) -> Response:
        fields = only(body(), ("note",))
        with world.state.lock:
            row = existing(world, "orders", row_id)
            row.update(fields)
            return answer(shown(world, "orders", row))

    @blueprint.post("/v1/orders/")
    def new_order() -> Response:
        fields = body()
        with world.state.lock:
            return answer(shown(world, "orders", place_order(world, fields)), 201)

    @blueprint.put("/v1/shipments/<int:row_id>/")
    def shipment(row_id: int) -> Response:
        fields = body()
        with world.state.lock:
            row = existing(world, "shipments", row_id)
            change_shipment(world, row, fields)
            return answer(shown(world, "shipments", row))

    @blueprint.put("/v1/products/<int:row_id>/")
    def product(row_id: int) -> Response:
        fields = only(body(), PRODUCT)
        with world.state.lock:
            row = existing(world, "products", row_id)
            row.update(fields | ({"visible": truthy(fields["visible"])} if "visible" in fields else {}))
            return answer(shown(world, "products", row))

    return blueprint


def only(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields}


def change_shipment(world: World, row: Row, fields: dict[str, Any]) -> None:
    """`shipped` mails the customer and tells; the other fields alone do neither."""
    shop = voice(world)
    kept, status = only(fields, SHIPMENT), fields.get("status")
    if status in {"shipped", 2}:
        boxes.ship(shop, row, kept)
    elif status in {None, row["status"]}:
        row.update(kept)
    elif status in {"cancelled", 3} and row["status"] == "unshipped":
        row.update(kept)
        boxes.cancel(shop, row)
    else:
        refuse(BAD_REQUEST, "this step of status is not possible")


def place_order(world: World, fields: dict[str, Any]) -> Row:
    """An order by API. It knows a gift's message only, so nobody can tell whom such a gift is for."""
    customer = existing(world, "customers", whole(at(fields, "customer", "id")))
    lines = fields.get("products") or refuse(BAD_REQUEST, "an order has products")
    instances = [existing(world, "product_instances", whole(at(line, "product_instance", "id"))) for line in lines]
    message = at(fields, "order_gift_info", "gift_message")
    gift = Gift("gift2_message", str(message)) if message is not None else None
    return orders.buy(
        voice(world), customer, orders.Basket(tuple(instances), term_of(world, lines[0], instances[0])), gift
    )


def term_of(world: World, line: Any, instance: Row) -> Row | None:
    """The term with so many cycles, for a box; month to month if none is named."""
    if not instance["term_prices"]:
        return None
    cycles = whole(at(line, "term", "num_cycles") or 1)
    for term in world.state.rows("terms"):
        if term["num_cycles"] == cycles:
            return term
    return refuse(BAD_REQUEST, "no term has so many cycles")  # type: ignore[no-any-return]


def at(fields: Any, *path: str) -> Any:
    """The value at a path, written nested or, as the documents print it, with a dot in its name."""
    if isinstance(fields, dict) and ".".join(path) in fields:
        return fields[".".join(path)]
    for name in path:
        fields = fields.get(name) if isinstance(fields, dict) else None
    return fields
