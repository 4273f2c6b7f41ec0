"""The newer, read-only list of shipments for those who fulfil them: few filters, a capped limit, and its own row.

A row says nothing of payment, test mode or gift of the box itself, and has no recipient's e-mail.
"""

from flask import Blueprint, Response

from sandbox.store import catalogue, shapes
from sandbox.store.api import list_page
from sandbox.store.api.reads import apply_value_switches
from sandbox.store.api.responses import BAD_REQUEST, answer, refuse
from sandbox.store.shop.boxes import billing_type_of
from sandbox.store.state import Row, State
from sandbox.store.world import World

MAX_LIMIT = 200
KIND = "shipments of v1.1"
ADDRESS = ("city", "company", "country", "id", "phone_number", "state", "street", "to", "unit", "zip_code")
INSTANCE = ("gift", "id", "price", "ship_weight", "sku")


def shipments_v11(world: World) -> Blueprint:
    blueprint = Blueprint("shipments_v11", __name__)

    @blueprint.get("/v1.1/shipments/")
    def collection() -> Response:
        given = list_page.arguments()
        if "with" in dict(given):
            refuse(BAD_REQUEST, "Invalid query parameter 'with'")
        with world.state.lock:
            rows = (to_v11(world.state, row) for row in world.state.rows("shipments"))
            return answer(list_page.page(world, KIND, rows, given, lambda row: render_v11(world, row), MAX_LIMIT))

    return blueprint


def to_v11(state: State, row: Row) -> Row:
    """A copy with v1.1's own fields beside v1's."""
    return {
        **row,
        "sub_cycle": row["_sub_cycle"],
        "cust_cycle": row["_cust_cycle"],
        "batch_id": row["_batch_id"],
        "billing_type": billing_type_of(state, row),
    }


def render_v11(world: World, row: Row) -> Row:
    """The documented row; `batch` is there for standard billing only."""
    state = world.state
    shown = {
        **shapes.pick(row, ("adjusted_ordered_at", "cust_cycle", "id", "status", "sub_cycle", "tracking_number")),
        "fulfillments": [fulfillment(state, one) for one in state.of("fulfillments", "shipment_id", row["id"])],
        "ship_address": address(world, row),
    }
    batch = state.find("shipment_batches", row["_batch_id"])
    if batch:
        end = "end" if world.switches.batch_end == "end" else "end_date"
        shown["batch"] = {"id": batch["id"], "start": batch["start"], end: batch["end"]}
    return apply_value_switches(world, shown)


def address(world: World, row: Row) -> Row:
    """The address. The documented list of its fields lacks the street, so a switch leaves it out."""
    shown = shapes.pick(world.state.get("addresses", row["_address_id"]), ADDRESS)
    if not world.switches.v11_street:
        del shown["street"]
    return shown


def fulfillment(state: State, row: Row) -> Row:
    return shapes.pick(row, ("fulfillment_date", "id", "subscription_id")) | {
        "instance": instance(state, state.get("product_instances", row["_instance_id"])),
        "order": order(state, state.get("orders", row["_order_id"])),
    }


def instance(state: State, row: Row) -> Row:
    product = state.get("products", row["product_id"])
    return shapes.pick(row, INSTANCE) | {
        "product": shapes.pick(product, ("id", "name", "sku")),
        "variants": [catalogue.show_variant(name, value, "v1.1") for name, value in row["_variants"]],
    }


def order(state: State, row: Row) -> Row:
    """The order with its customer and subscriptions. Of a gift it has the message, not the recipient."""
    info = row.get("order_gift_info")
    customer = state.get("customers", row["customer_id"])
    return {
        "customer": shapes.pick(customer, ("email", "id", "name")),
        "id": row["id"],
        "is_gift": bool(row.get("is_gift")),
        "is_renewal": row["is_renewal"],
        "order_gift_info": {key: info.get(key) for key in ("gift_message", "id")} if info else None,
        "subscriptions": [subscription(state.get("subscriptions", one)) for one in row["_subscription_ids"]],
    }


def subscription(row: Row) -> Row:
    return shapes.pick(row, ("id", "start_date", "status")) | {"term_id": row["_term_id"]}
