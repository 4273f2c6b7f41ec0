"""The warehouses of shops: how they stand, how many boxes are in which state, and pausing and resuming them."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from marshmallow import fields, validate
from sqlalchemy import Connection

from pipeline.core.fulfilment import State
from pipeline.fulfilment import set_up
from pipeline.fulfilment.stored_settings import find_no_tracking_days
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.runs import list_last_runs
from pipeline.ledger.fulfilment.warehouses import WarehouseRow, find_warehouse
from pipeline.ledger.queries.fulfilment import LateBoxes, count_boxes, count_quarantined, list_late_boxes
from pipeline.warehouses import get_title
from receiver.api.caller import find_shop, get_actor, get_context, load_shops
from receiver.api.fields import Document, Moment, Query, page_of, shop_field
from receiver.api.problems import Problem, not_found
from receiver.api.resource import Answer, Resource, count_field, describe, view

blueprint = Resource("warehouses", __name__, description="The warehouses of shops. Their keys are never shown.")
MAX_LISTED = 100  # of each of the three lists
_KINDS = get_type_hints(WarehouseRow)


class WarehouseSchema(Document):
    """The warehouse of a shop, which has at most one."""

    shop = fields.String(required=True)
    warehouse = fields.String(required=True, metadata=describe("Its kind, such as cartrover."))
    title = fields.String(required=True, metadata=describe("What people call it."))
    mode = fields.String(
        required=True,
        validate=validate.OneOf(get_args(_KINDS["mode"])),
        metadata=describe("dry_run: boxes are found and judged, and none is sent."),
    )
    status = fields.String(required=True, validate=validate.OneOf(get_args(_KINDS["status"])))
    reason = fields.String(required=True, allow_none=True, metadata=describe("Why it is paused."))
    trouble = fields.String(required=True, allow_none=True, metadata=describe("A code: why the last call failed."))
    status_at = Moment(required=True, metadata=describe("Since when it is active or paused."))
    live_since = Moment(
        required=True,
        allow_none=True,
        attribute="accepted_at",
        metadata=describe("When the report of the dry run was accepted."),
    )


class BoxCountSchema(Document):
    """How many boxes of a billing type are in a state for a reason."""

    billing_type = fields.String(required=True, metadata=describe("ecom, adhoc, standard; empty: not known yet."))
    state = fields.String(required=True, validate=validate.OneOf([state.value for state in State]))
    reason = fields.String(required=True, allow_none=True)
    count = count_field("Boxes.")


def _numbers(text: str) -> fields.List[Any]:
    shown = f"{text} Empty in a healthy shop; at most {MAX_LISTED}, the last to change first."
    return fields.List(fields.String(), required=True, metadata=describe(shown))


class WarehouseRunSchema(Document):
    """The last run of a job, such as a search of Cratejoy."""

    job = fields.String(required=True, metadata={"example": "pull_adhoc"})
    is_full = fields.Boolean(required=True, metadata=describe("It searches everything since the earliest date."))
    started_at = Moment(required=True)
    ended_at = Moment(required=True, allow_none=True, metadata=describe("null: it runs, or waits."))
    pages = count_field("Pages that were read.")
    rows = count_field("Rows on them.")
    is_ok = fields.Boolean(required=True, metadata=describe("It has read everything."))
    error = fields.String(required=True, allow_none=True)


class WarehouseDetailSchema(WarehouseSchema):
    """A warehouse with its figures: those of `cratewire fulfilment status`."""

    boxes = fields.List(fields.Nested(BoxCountSchema), required=True)
    quarantined = count_field("Parcels of no box that was sent, which wait for a person: `GET /tracking`.")
    runs = fields.List(fields.Nested(WarehouseRunSchema), required=True, metadata=describe("The last of each job."))
    paid_not_sent = _numbers("Boxes that are due since an hour and not at the warehouse, by number.")
    sent_without_tracking = _numbers("Boxes that the warehouse has had for longer than the shop allows.")
    shipped_customer_not_informed = _numbers("Boxes that left an hour ago or earlier, unknown to Cratejoy.")


class WarehouseQuery(Query):
    """Which warehouses to list."""

    shop = shop_field(load_default=None)


EXAMPLE = {
    "shop": "acme",
    "warehouse": "cartrover",
    "title": "Extensiv Integration Manager",
    "mode": "live",
    "status": "active",
    "reason": None,
    "trouble": None,
    "status_at": "2026-11-02T09:00:00.000000Z",
    "live_since": "2026-11-02T10:30:00.000000Z",
}
DETAIL_EXAMPLE = {
    **EXAMPLE,
    "boxes": [{"billing_type": "adhoc", "state": "held", "reason": "unmapped_ship_code", "count": 2}],
    "quarantined": 0,
    "runs": [
        {
            "job": "pull_adhoc",
            "is_full": False,
            "started_at": "2026-11-30T03:30:00.000000Z",
            "ended_at": "2026-11-30T03:30:04.000000Z",
            "pages": 2,
            "rows": 61,
            "is_ok": True,
            "error": None,
        }
    ],
    "paid_not_sent": ["SUB-90000001", "SUB-90000002"],
    "sent_without_tracking": [],
    "shipped_customer_not_informed": [],
}
PAUSED_EXAMPLE = {**DETAIL_EXAMPLE, "status": "paused", "reason": set_up.PAUSED_BY_HAND}
WarehousePage = page_of(WarehouseSchema, "WarehousePage")


@view(
    blueprint,
    "/warehouses",
    "read",
    Answer(WarehousePage, {"items": [EXAMPLE], "next_cursor": None}),
    query=WarehouseQuery,
)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List warehouses

    All of them: a shop has at most one.
    """
    with reading(get_context().engine) as conn:
        shops = load_shops(conn, query["shop"])
        found = [(name, find_warehouse(conn, shop_id)) for shop_id, name in shops.items()]
    return {"items": [_build(name, row) for name, row in found if row is not None], "next_cursor": None}


@view(blueprint, "/warehouses/<name:shop>", "read", Answer(WarehouseDetailSchema, DETAIL_EXAMPLE))
def show(shop: str) -> dict[str, Any]:
    """Show a warehouse

    With the boxes in each state, and the lists that are empty in a healthy shop.
    """
    return load_detail(shop)


@view(
    blueprint,
    "/warehouses/<name:shop>/pause",
    "operate",
    Answer(WarehouseDetailSchema, PAUSED_EXAMPLE),
    method="POST",
)
def stop(shop: str) -> dict[str, Any]:
    """Pause a warehouse

    No box is sent until it is resumed. Cancels, tracking and what is written to Cratejoy go on.
    """
    if not set_up.pause(get_context(), find_shop_with_warehouse(shop), get_actor()):
        raise Problem(409, "The warehouse is paused already.")
    return load_detail(shop)


@view(
    blueprint,
    "/warehouses/<name:shop>/resume",
    "operate",
    Answer(WarehouseDetailSchema, DETAIL_EXAMPLE),
    method="POST",
)
def resume(shop: str) -> dict[str, Any]:
    """Resume a warehouse

    What became due meanwhile is done at once.
    """
    if not set_up.resume(get_context(), find_shop_with_warehouse(shop), get_actor()):
        raise Problem(409, "The warehouse is not paused.")
    return load_detail(shop)


def find_shop_with_warehouse(shop: str) -> int:
    """The id of a shop of the caller that has a warehouse. Raises Problem with 404."""
    with reading(get_context().engine) as conn:
        shop_id = find_shop(conn, shop)
        get_row(conn, shop_id)
    return shop_id


def get_row(conn: Connection, shop_id: int) -> WarehouseRow:
    """The warehouse of a shop. Raises Problem with 404 if it has none."""
    row = find_warehouse(conn, shop_id)
    if row is None:
        raise not_found()
    return row


def load_detail(shop: str) -> dict[str, Any]:
    """The warehouse of a shop of the caller, with its figures. Raises Problem with 404."""
    context = get_context()
    with reading(context.engine) as conn:
        shop_id = find_shop(conn, shop)
        row = get_row(conn, shop_id)
        days = find_no_tracking_days(row.settings)
        late = list_late_boxes(conn, shop_id, context.now(), days, limit=MAX_LISTED)
        counts, apart = count_boxes(conn, shop_id), count_quarantined(conn, shop_id)
        runs = list_last_runs(conn, shop_id)
    return {
        **_build(shop, row),
        "boxes": counts,
        "quarantined": apart,
        "runs": runs,
        **{name: [box.order_number for box in getattr(late, name)] for name in LateBoxes.__slots__},
    }


def _build(shop: str, row: WarehouseRow) -> dict[str, Any]:
    return {
        "shop": shop,
        "warehouse": row.adapter,
        "title": get_title(row.adapter),
        "reason": row.status_reason,
        **{name: getattr(row, name) for name in ("mode", "status", "trouble", "status_at", "accepted_at")},
    }
