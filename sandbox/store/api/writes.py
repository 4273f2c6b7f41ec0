"""Writing: what documents or working code change on customers, addresses, orders, shipments, products and redirects."""

from collections.abc import Callable, Mapping

from flask import Blueprint, Response

from sandbox.store.api.fields import read
from sandbox.store.api.hooks import shop_for_api_writes
from sandbox.store.api.reads import get_or_404, render_or_400
from sandbox.store.api.responses import BAD_REQUEST, answer, body, refuse, refuse_all
from sandbox.store.shop import boxes, customers
from sandbox.store.state import Row
from sandbox.store.world import World

CARRIER_FIELDS = ("carrier_name", "tracking_link")


def writes(world: World) -> Blueprint:
    blueprint = Blueprint("writes", __name__)

    @blueprint.put(f"/v1/<any({', '.join(CHANGES)}):kind>/<int:row_id>/")
    def change(kind: str, row_id: int) -> Response:
        given = body()
        with world.state.lock:
            row = get_or_404(world, kind, row_id)
            CHANGES[kind](world, row, read(kind, "PUT", given))
            return answer(render_or_400(world, kind, row))

    @blueprint.post("/v1/customers/<int:row_id>/addresses/")
    def new_address(row_id: int) -> Response:
        given = body()
        with world.state.lock:
            get_or_404(world, "customers", row_id)
            made = customers.add_address(
                shop_for_api_writes(world), {**read("addresses", "POST", given), "_customer_id": row_id}
            )
            return answer(render_or_400(world, "addresses", made), 201)

    @blueprint.post("/v1/page_redirects/")
    def new_redirect() -> Response:
        fields = read("page_redirects", "POST", body(), required="path target")
        with world.state.lock:
            blank = {"code": 302, "enabled": True, "store_id": world.switches.store_id, "type": "page_redirect"}
            return answer(world.state.insert("page_redirects", blank | fields), 201)

    return blueprint


def change_customer(_world: World, row: Row, fields: Row) -> None:
    """A note is put before the old one, with a line break; the name follows its parts."""
    if "note" in fields:
        fields["note"] = "\n".join(filter(None, (fields["note"], row["note"])))
    row.update(fields)
    if {"first_name", "last_name"} & fields.keys():
        row["name"] = " ".join(filter(None, (row["first_name"], row["last_name"])))


def change_address(world: World, row: Row, fields: Row) -> None:
    customers.change_address(shop_for_api_writes(world), row, fields)


def change_shipment(world: World, row: Row, fields: Row) -> None:
    """`shipped` mails the customer and fires the hook; the other fields alone do neither."""
    refused = [] if world.switches.carrier_fields else [name for name in CARRIER_FIELDS if name in fields]
    if refused:
        refuse_all(BAD_REQUEST, (f"Unknown property '{name}'" for name in refused))
    shop, status = shop_for_api_writes(world), fields.pop("status", None)
    if "adjusted_ordered_at" in fields:
        fields["target_at"] = fields["adjusted_ordered_at"]  # the deprecated twin
    if status == "shipped" and row["status"] != "cancelled":
        world.state.shipped_puts[row["id"]] += 1
        boxes.ship(shop, row, fields)
    elif status in {None, row["status"]}:
        row.update(fields)
    elif (row["status"], status) == ("unshipped", "cancelled"):
        row.update(fields)
        boxes.cancel(shop, row)
    else:
        refuse(BAD_REQUEST, f"a shipment that is {row['status']} cannot become {status}")


def change_fields(_world: World, row: Row, fields: Row) -> None:
    row.update(fields)


CHANGES: Mapping[str, Callable[[World, Row, Row], None]] = {
    "addresses": change_address,
    "customers": change_customer,
    "orders": change_fields,
    "products": change_fields,
    "shipments": change_shipment,
    "subscriptions": change_fields,
}
