"""The newer, read-only list of shipments: text statuses, cycles, a capped limit, and no recipient's e-mail."""

from flask import Blueprint, Response

from sandbox.store import relations
from sandbox.store.api import list_page
from sandbox.store.api.reads import apply_value_switches
from sandbox.store.api.responses import BAD_REQUEST, answer, refuse
from sandbox.store.state import Row
from sandbox.store.world import World

MAX_LIMIT = 200
KIND = "shipments of v1.1"


def shipments_v11(world: World) -> Blueprint:
    blueprint = Blueprint("shipments_v11", __name__)

    @blueprint.get("/v1.1/shipments/")
    def collection() -> Response:
        given = list_page.arguments()
        if "with" in dict(given):
            refuse(BAD_REQUEST, "Invalid query parameter 'with'")
        with world.state.lock:
            rows = map(to_v11, world.state.rows("shipments"))
            return answer(list_page.page(world, KIND, rows, given, lambda row: render_v11(world, row), MAX_LIMIT))

    return blueprint


def to_v11(row: Row) -> Row:
    """A copy with v1.1's own fields beside v1's."""
    own = {"sub_cycle": row["_sub_cycle"], "cust_cycle": row["_cust_cycle"], "batch_id": row["_batch_id"]}
    single = row["_subscription_id"] is None
    return row | own | {"billing_type": "ecom" if single else "standard", "is_ecom": single}


def render_v11(world: World, row: Row) -> Row:
    """With customer, address and the order's gift message; the documented table has no recipient."""
    order = world.state.get("orders", row["_order_id"])
    info = order.get("order_gift_info")
    shown = relations.expand(world.state, "shipments", row, ("customer", "labels", "ship_address"))
    gift = {key: info.get(key) for key in ("gift_message", "id")} if info else None
    return apply_value_switches(world, shown | {"order_gift_info": gift})
