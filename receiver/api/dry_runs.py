"""The report of a warehouse's dry run, and going live with it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from pipeline.fulfilment.set_up import MAX_SHOWN, build_report, go_live
from pipeline.ledger.engine import reading
from receiver.api.caller import find_shop, get_actor, get_context
from receiver.api.fields import Body, Document
from receiver.api.order_documents import EXAMPLE as BOX_EXAMPLE
from receiver.api.order_documents import OrderSchema
from receiver.api.orders import build_line
from receiver.api.problems import Problem
from receiver.api.resource import Answer, Resource, count_field, describe, view
from receiver.api.warehouses import (
    DETAIL_EXAMPLE,
    BoxCountSchema,
    WarehouseDetailSchema,
    find_shop_with_warehouse,
    get_row,
    load_detail,
)

blueprint = Resource("dry_runs", __name__, description="What a warehouse would be sent, before it goes live.")

ONE_OWNER = "Nothing is sent yet. Send `only_owner` as true once nothing else sends this shop's boxes."
LARGEST = 2**31 - 1


class DryRunSchema(Document):
    """What the first pass has found."""

    shop = fields.String(required=True)
    mode = fields.String(required=True, metadata=describe("dry_run, or live: it was accepted before."))
    is_whole = fields.Boolean(required=True, metadata=describe("Everything was read: it can be accepted."))
    unread = fields.List(fields.String(), required=True, metadata=describe("Searches that have not ended."))
    counts = fields.List(fields.Nested(BoxCountSchema), required=True)
    would_go = count_field("Boxes that would go to the warehouse.")
    boxes = fields.List(
        fields.Nested(OrderSchema),
        required=True,
        metadata=describe(f"Those boxes, at most {MAX_SHOWN}; `GET /orders?state=ready` has all."),
    )


class GoLiveBody(Body):
    """What is accepted."""

    accepted = fields.Integer(
        required=True,
        validate=validate.Range(0, LARGEST),
        metadata=describe("`would_go` of the report. If it is another by now, nothing goes."),
    )
    only_owner = fields.Boolean(
        load_default=False, metadata=describe("true: nothing else sends the shop's boxes. With two, all go twice.")
    )


EXAMPLE = {
    "shop": "acme",
    "mode": "dry_run",
    "is_whole": True,
    "unread": [],
    "counts": [{"billing_type": "adhoc", "state": "ready", "reason": None, "count": 214}],
    "would_go": 214,
    "boxes": [{**BOX_EXAMPLE, "state": "ready", "reason": None}],
}


@view(blueprint, "/warehouses/<name:shop>/dry-run", "read", Answer(DryRunSchema, EXAMPLE), may_refuse=True)
def show(shop: str) -> dict[str, Any]:
    """Show the report of a dry run

    A worker makes it: it begins when a warehouse is connected, and anew when settings change. Ask again while
    `is_whole` is false.
    """
    with reading(get_context().engine) as conn:
        shop_id = find_shop(conn, shop)
        get_row(conn, shop_id)
        report = build_report(conn, shop_id)
    boxes = [build_line(box, {shop_id: shop}) for box in report.boxes]
    names = ("mode", "is_whole", "unread", "counts", "would_go")
    return {"shop": shop, **{name: getattr(report, name) for name in names}, "boxes": boxes}


@view(
    blueprint,
    "/warehouses/<name:shop>/go-live",
    "settings",
    Answer(WarehouseDetailSchema, DETAIL_EXAMPLE),
    method="POST",
    body=GoLiveBody,
    body_example={"accepted": 214, "only_owner": True},
)
def accept(body: dict[str, Any], shop: str) -> dict[str, Any]:
    """Accept the report, and go live

    From now on boxes go to the warehouse.
    """
    shop_id = find_shop_with_warehouse(shop)
    if not body["only_owner"]:
        raise Problem(409, ONE_OWNER)
    go_live(get_context(), shop_id, body["accepted"], get_actor())
    return load_detail(shop)
