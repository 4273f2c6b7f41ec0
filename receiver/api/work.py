"""Work on batches and files that was asked for. A worker does it, since it reads Cratejoy; here is how far it is."""

from __future__ import annotations

from typing import Any, cast, get_args

from marshmallow import fields, validate

from pipeline.fulfilment.imports import EVERY_VERDICT
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.work import WorkKind, WorkRow, WorkState, find_work, list_work
from receiver.api.caller import find_shop, get_context
from receiver.api.fields import Document, Moment, PageQuery, RowId, build_page, page_of
from receiver.api.problems import not_found
from receiver.api.resource import Answer, Resource, describe, view
from receiver.api.warehouses import get_row

blueprint = Resource("work", __name__, description="Forecasts, freezes, exports and imports that a worker does.")

_OF_RESULTS = ("boxes", "waves", "left_out", "counts", "written", "for_people")


def counts_field(**more: Any) -> fields.Dict:
    """How many rows of a file have which verdict."""
    verdict = fields.String(validate=validate.OneOf(EVERY_VERDICT))
    return fields.Dict(verdict, fields.Integer(), required=True, metadata=describe("Rows, by verdict."), **more)


class WorkSchema(Document):
    """Something that was asked for. What is asked for twice is done once."""

    id = RowId(required=True)
    shop = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(get_args(WorkKind)))
    state = fields.String(
        required=True,
        validate=validate.OneOf(get_args(WorkState)),
        metadata=describe("previewed: an import that is written once it is asked for. Ask again until done or failed."),
    )
    batch_id = RowId(required=True, allow_none=True)
    total = fields.Integer(
        required=True, allow_none=True, metadata=describe("Boxes or rows; null: not known yet, or none are counted.")
    )
    done = fields.Integer(required=True, metadata=describe("Of them."))
    reason = fields.String(
        required=True, allow_none=True, metadata=describe("A sentence: why it failed, or what it waits for.")
    )
    requested_at = Moment(required=True)
    begun_at = Moment(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)
    user = RowId(
        required=True, allow_none=True, attribute="user_id", metadata=describe("Who asked; null: the operator.")
    )
    export_id = RowId(required=True, allow_none=True, metadata=describe("Of an export: its file."))
    boxes = fields.Integer(required=True, allow_none=True, metadata=describe("Boxes that were frozen, or handed out."))
    waves = fields.Integer(required=True, allow_none=True, metadata=describe("Waves that were frozen."))
    left_out = fields.Dict(
        fields.String(),
        fields.String(),
        required=True,
        allow_none=True,
        metadata=describe("Of an export: order number -> a code, why the box is not in the file."),
    )
    counts = counts_field(allow_none=True)
    written = fields.Integer(required=True, allow_none=True, metadata=describe("Boxes that an import gave tracking."))
    for_people = fields.Integer(
        required=True, allow_none=True, metadata=describe("Parcels that an import has left to a person.")
    )


class WorkQuery(PageQuery):
    """Which work to list."""

    kind = fields.String(load_default=None, validate=validate.OneOf(get_args(WorkKind)))


EXAMPLE = {
    "id": "12",
    "shop": "acme",
    "kind": "freeze",
    "state": "waiting",
    "batch_id": "22",
    "total": None,
    "done": 0,
    "reason": None,
    "requested_at": "2026-11-30T12:00:00.000000Z",
    "begun_at": None,
    "ended_at": None,
    "user": "3",
    "export_id": None,
    **dict.fromkeys(_OF_RESULTS),
}
WorkPage = page_of(WorkSchema, "WorkPage")


@view(
    blueprint,
    "/warehouses/<name:shop>/work",
    "read",
    Answer(WorkPage, {"items": [EXAMPLE], "next_cursor": None}),
    query=WorkQuery,
)
def index(query: dict[str, Any], shop: str) -> dict[str, Any]:
    """List what was asked for

    The newest first.
    """
    before, limit = query["cursor"], query["limit"]
    kinds = [cast("WorkKind", query["kind"])] if query["kind"] else []
    with reading(get_context().engine) as conn:
        shop_id = find_shop(conn, shop)
        get_row(conn, shop_id)
        rows = list_work(conn, shop_id, kinds, before=before[0] if before else None, limit=limit + 1)
    page = build_page(rows, limit, lambda row: (row.id,))
    return {**page, "items": [build_work(row, shop) for row in page["items"]]}


@view(blueprint, "/warehouses/<name:shop>/work/<row_id:work_id>", "read", Answer(WorkSchema, EXAMPLE))
def show(shop: str, work_id: int) -> dict[str, Any]:
    """Show how far it is"""
    with reading(get_context().engine) as conn:
        row = find_work(conn, find_shop(conn, shop), work_id)
    if row is None:
        raise not_found()
    return build_work(row, shop)


def build_work(row: WorkRow, shop: str) -> dict[str, Any]:
    """What was asked for, as the API has it."""
    names = ("id", "kind", "state", "total", "done", "reason", "requested_at", "begun_at", "ended_at", "user_id")
    of_forecasts = row.kind == "forecast"  # they have an address of their own
    result: dict[str, Any] = {} if of_forecasts else row.result
    return {
        "shop": shop,
        **{name: getattr(row, name) for name in names},
        "batch_id": row.wanted.get("batch", row.wanted.get("batch_id")),
        "export_id": result.get("export"),
        **{name: result.get(name) for name in _OF_RESULTS},
    }
