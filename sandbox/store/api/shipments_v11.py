"""The newer, read-only list of shipments: text statuses, cycles, a capped limit, and no recipient's e-mail."""

from flask import Blueprint, Response, request

from sandbox.store import relations
from sandbox.store.api import filters, paging
from sandbox.store.api.answers import BAD_REQUEST, answer, refuse
from sandbox.store.state import Row
from sandbox.store.world import World

CAP = 200
FILTERS = frozenset(
    ("status", "adjusted_ordered_at", "sub_cycle", "cust_cycle", "customer_id", "batch_id", "billing_type")
)


def shipments_v11(world: World) -> Blueprint:
    blueprint = Blueprint("shipments_v11", __name__)

    @blueprint.get("/v1.1/shipments/")
    def collection() -> Response:
        with world.state.lock:
            return answer(listing(world, list(request.args.items(multi=True))))

    return blueprint


def listing(world: World, arguments: list[tuple[str, str]]) -> Row:
    wanted = []
    try:
        wanted = filters.conditions(arguments)
        if any(one.path[0] not in FILTERS for one in wanted):
            refuse(BAD_REQUEST, f"shipments of v1.1 filter by {', '.join(sorted(FILTERS))}")
        rows = filters.keep(world.state, "shipments", map(streamlined, world.state.rows("shipments")), wanted)
        page, envelope = paging.page_of(rows, capped(arguments), world.switches)
    except (filters.BadFilter, paging.BadPage) as error:
        refuse(BAD_REQUEST, str(error))
    return envelope | {"results": [dressed(world, row) for row in page]}


def capped(arguments: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, str(min(CAP, paging.number(value, CAP))) if name == "limit" else value) for name, value in arguments]


def streamlined(row: Row) -> Row:
    """A copy with v1.1's own fields beside v1's."""
    own = {"sub_cycle": row["_sub_cycle"], "cust_cycle": row["_cust_cycle"], "batch_id": row["_batch_id"]}
    single = row["_subscription_id"] is None
    return row | own | {"billing_type": "ecom" if single else "standard", "is_ecom": single}


def dressed(world: World, row: Row) -> Row:
    """With customer, address and the order's gift message; the documents' table has no recipient here."""
    order = world.state.get("orders", row["_order_id"])
    info = order.get("order_gift_info")
    shown = relations.expand(world.state, "shipments", row, ("customer", "ship_address"))
    return shown | {"order_gift_info": {key: info.get(key) for key in ("gift_message", "id")} if info else None}
