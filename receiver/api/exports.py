"""Files of boxes for those who pack them, where the warehouse is a spreadsheet: asked for, listed, downloaded."""

from __future__ import annotations

from typing import Any, get_args

from flask import Response
from marshmallow import fields, validate

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment_files import FILE_ADAPTERS, FileFormat
from pipeline.fulfilment.exports import Wanted, repeat_export
from pipeline.fulfilment.work import read_wanted, request_export
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.exports import find_export, list_exports
from pipeline.ledger.fulfilment.work import list_work
from pipeline.operations.warehouse_form import WHOLE_FORM, place_errors
from pipeline.warehouses import WAREHOUSES
from receiver.api.caller import find_shop, get_actor, get_caller, get_context, require_scope
from receiver.api.fields import Body, Document, Moment, PageQuery, Query, RowId, build_page, page_of
from receiver.api.problems import Problem, bad_values, not_found
from receiver.api.resource import Answer, Resource, count_field, describe, view
from receiver.api.warehouses import find_shop_with_warehouse, get_row
from receiver.api.work import EXAMPLE as WORK_EXAMPLE
from receiver.api.work import WorkSchema, build_work

blueprint = Resource("exports", __name__, description="Files of boxes, where a shop's warehouse is a spreadsheet.")

_LAYOUT = [one for name in sorted(FILE_ADAPTERS) for one in WAREHOUSES[name].fields if one.key in ("preset", "columns")]
_PRESETS = [preset for one in _LAYOUT if one.key == "preset" for preset in one.choices]
MAX_WORK = 1_000  # exports among which the one of a file is searched


class ExportSchema(Document):
    """A file of boxes that was handed out."""

    id = RowId(required=True)
    at = Moment(required=True)
    boxes = count_field("Boxes that it handed out.")
    user = RowId(
        required=True, allow_none=True, attribute="user_id", metadata=describe("Who asked; null: the operator.")
    )


class ExportBody(Body):
    """What is to be in a file."""

    format = fields.String(load_default="csv", validate=validate.OneOf(get_args(FileFormat)))
    preset = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(_PRESETS),
        metadata=describe("The columns; null: as the warehouse is set up."),
    )
    columns = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 2_000),
        metadata=describe("Other columns, such as `Order ID = reference, Name = name`."),
    )
    batch_id = RowId(load_default=None, allow_none=True, metadata=describe("Only the boxes of this frozen batch."))
    wave = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 200),
        metadata=describe("Only those of this wave of the batch."),
    )


class FileQuery(Query):
    """How to write a file."""

    format = fields.String(
        load_default=None,
        validate=validate.OneOf(get_args(FileFormat)),
        metadata=describe("Left out: as it was asked for."),
    )


EXAMPLE = {"id": "4", "at": "2026-11-30T12:05:00.000000Z", "boxes": 214, "user": "3"}
ExportPage = page_of(ExportSchema, "ExportPage")


@view(
    blueprint,
    "/warehouses/<name:shop>/exports",
    "read",
    Answer(ExportPage, {"items": [EXAMPLE], "next_cursor": None}),
    query=PageQuery,
)
def index(query: dict[str, Any], shop: str) -> dict[str, Any]:
    """List exports

    The newest first; those without a box are left out.
    """
    before, limit = query["cursor"], query["limit"]
    with reading(get_context().engine) as conn:
        shop_id = find_shop(conn, shop)
        get_row(conn, shop_id)
        rows = list_exports(conn, shop_id, before=before[0] if before else None, limit=limit + 1)
    return build_page(rows, limit, lambda row: (row.id,))


@view(
    blueprint,
    "/warehouses/<name:shop>/exports",
    "replay",
    Answer(WorkSchema, {**WORK_EXAMPLE, "kind": "export", "batch_id": None}, status=202),
    method="POST",
    body=ExportBody,
    body_example={"format": "xlsx", "batch_id": "22"},
)
def create(body: dict[str, Any], shop: str) -> dict[str, Any]:
    """Export the boxes that are ready

    No box is in two exports. A worker reads each once more at Cratejoy and hands it out; ask for the work that is
    returned until it is done: `export_id` is its file. While one is made, that one is returned.
    """
    shop_id = find_shop_with_warehouse(shop)
    if body["wave"] is not None and body["batch_id"] is None:
        raise bad_values({"wave": "Name the batch, too."})
    wanted = Wanted(body["format"], _read_layout(body), body["batch_id"], body["wave"])
    try:
        work = request_export(get_context(), shop_id, wanted, get_actor())
    except Misconfigured as error:
        placed = place_errors(str(error), _LAYOUT)
        raise Problem(409, placed[WHOLE_FORM]) if WHOLE_FORM in placed else bad_values(placed) from error
    return build_work(work, shop)


@view(
    blueprint,
    "/warehouses/<name:shop>/exports/<row_id:export_id>/file",
    "replay",
    Answer(None, description="The file.", content_type="application/octet-stream"),
    query=FileQuery,
    may_refuse=True,
)
def download(query: dict[str, Any], shop: str, export_id: int) -> Response:
    """Download the file of an export

    It is written anew, without the boxes that have left or are cancelled. It has names and addresses: the token needs
    `read-people`, too. Each download is in the audit log.
    """
    require_scope(get_caller(), "read-people")
    context = get_context()
    with reading(context.engine) as conn:
        shop_id = find_shop(conn, shop)
        get_row(conn, shop_id)
        if find_export(conn, shop_id, export_id) is None:
            raise not_found()
        asked = list_work(conn, shop_id, ["export"], limit=MAX_WORK)
    made = next((read_wanted(one.wanted) for one in asked if one.result.get("export") == export_id), Wanted())
    wanted = Wanted(query["format"] or made.file_format, made.layout)
    file = repeat_export(context, shop_id, export_id, wanted, get_actor()).file
    headers = {"Content-Disposition": f'attachment; filename="{shop}-{file.name}"', "Cache-Control": "no-store"}
    return Response(file.content, content_type=file.content_type, headers=headers)


def _read_layout(body: dict[str, Any]) -> dict[str, str]:
    preset = {"preset": body["preset"], "columns": ""} if body["preset"] else {}
    return preset | ({"columns": body["columns"]} if body["columns"] else {})
