"""Files that return from those who pack the boxes: sent, shown row by row, and written once that is asked for."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import fields, validate
from sqlalchemy import Connection

from pipeline.fulfilment.imports import EVERY_VERDICT
from pipeline.fulfilment.returned_rows import JudgedRow
from pipeline.fulfilment.work import find_earlier_import, preview_work, request_import, take_in_file
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.work import WorkRow, find_work
from receiver.api.caller import find_shop, get_actor, get_context, may_see_people
from receiver.api.fields import Document, PageQuery, RowId, build_page, page_of
from receiver.api.order_documents import PERSONAL
from receiver.api.problems import Problem, not_found
from receiver.api.resource import Answer, Resource, describe, view
from receiver.api.warehouses import find_shop_with_warehouse
from receiver.api.work import EXAMPLE as WORK_EXAMPLE
from receiver.api.work import WorkSchema, build_work, counts_field

blueprint = Resource("imports", __name__, description="Returned files with tracking numbers, where a shop has files.")

MAX_FILE_BYTES = 10 * 1024 * 1024 + 1  # one more than is read, so that a longer file is refused with its reason
NO_FORM = "Send the file itself as the body, not a form: `curl --data-binary @FILE`."
_FILE = {"type": "string", "format": "binary"}
_BODY = {
    "description": "The file as it is: CSV or XLSX, at most 10 MB.",
    "required": True,
    "content": {"application/octet-stream": {"schema": _FILE}},
}


class ImportSchema(WorkSchema):
    """A returned file, and what becomes of its rows."""

    counts = counts_field()
    column = fields.String(required=True, metadata=describe("The heading of the tracking numbers that are read."))
    earlier = RowId(required=True, allow_none=True, metadata=describe("The import of the very same file before."))


class ImportRowSchema(Document):
    """A row of a returned file."""

    number = fields.Integer(required=True, metadata=describe("As the spreadsheet shows it."))
    verdict = fields.String(
        required=True, validate=validate.OneOf(EVERY_VERDICT), metadata=describe("Only a match is written.")
    )
    reason = fields.String(required=True, metadata=describe("A code, or a sentence: why it is no match."))
    order_number = fields.String(required=True, metadata=describe("Empty: the row names no box of ours."))
    tracking_numbers = fields.List(fields.String(), required=True, allow_none=True, metadata=describe(PERSONAL))


class RowQuery(PageQuery):
    """Which rows to list."""

    verdict = fields.String(load_default=None, validate=validate.OneOf(EVERY_VERDICT))


EXAMPLE = {
    **WORK_EXAMPLE,
    "kind": "import",
    "state": "previewed",
    "batch_id": None,
    "counts": {**dict.fromkeys(EVERY_VERDICT, 0), "match": 213, "ambiguous": 1},
    "column": "Tracking Number",
    "earlier": None,
}
ROW_EXAMPLE = {
    "number": 2,
    "verdict": "match",
    "reason": "",
    "order_number": "SUB-90000001",
    "tracking_numbers": None,
}
ImportRowPage = page_of(ImportRowSchema, "ImportRowPage")


@view(
    blueprint,
    "/warehouses/<name:shop>/imports",
    "replay",
    Answer(ImportSchema, EXAMPLE, status=201),
    method="POST",
    raw_body=_BODY,
)
def create(shop: str) -> dict[str, Any]:
    """Send a returned file

    Nothing is written before `apply`. The same file again is the same import, while it is open.
    """
    shop_id = find_shop_with_warehouse(shop)
    if request.mimetype == "multipart/form-data":
        raise Problem(415, NO_FORM)
    request.max_content_length = MAX_FILE_BYTES
    content = request.get_data()
    if not content:
        raise Problem(409, "The file is empty.")
    return _load(shop, take_in_file(get_context(), shop_id, content, get_actor()).id)


@view(blueprint, "/warehouses/<name:shop>/imports/<row_id:import_id>", "read", Answer(ImportSchema, EXAMPLE))
def show(shop: str, import_id: int) -> dict[str, Any]:
    """Show a returned file

    What would become of its rows; or how far the writing is, and what it has brought.
    """
    return _load(shop, import_id)


@view(
    blueprint,
    "/warehouses/<name:shop>/imports/<row_id:import_id>/rows",
    "read",
    Answer(ImportRowPage, {"items": [ROW_EXAMPLE], "next_cursor": None}),
    query=RowQuery,
    may_refuse=True,
)
def rows(query: dict[str, Any], shop: str, import_id: int) -> dict[str, Any]:
    """List the rows of a returned file

    As they are judged now. They are kept for a week.
    """
    after, limit, verdict = query["cursor"], query["limit"], query["verdict"]
    with reading(get_context().engine) as conn:
        preview = preview_work(conn, _find(conn, find_shop(conn, shop), import_id))
    if preview is None:
        raise Problem(409, "The rows are no longer kept: send the file again.")
    wanted = [row for row in preview.rows if verdict in (None, row.verdict) and row.number > (after[0] if after else 0)]
    page = build_page(wanted[: limit + 1], limit, lambda row: (row.number,))
    is_shown = may_see_people()
    return {**page, "items": [_build_row(row, is_shown=is_shown) for row in page["items"]]}


@view(
    blueprint,
    "/warehouses/<name:shop>/imports/<row_id:import_id>/apply",
    "replay",
    Answer(WorkSchema, {**EXAMPLE, "state": "waiting"}, status=202),
    method="POST",
)
def apply(shop: str, import_id: int) -> dict[str, Any]:
    """Write the rows that match

    A worker judges them once more and writes them; ask for the import until it is done. A second call writes nothing
    further.
    """
    context = get_context()
    with reading(context.engine) as conn:
        shop_id = find_shop(conn, shop)
        _find(conn, shop_id, import_id)
    return build_work(request_import(context, shop_id, import_id, get_actor()), shop)


def _find(conn: Connection, shop_id: int, import_id: int) -> WorkRow:
    row = find_work(conn, shop_id, import_id)
    if row is None or row.kind != "import":
        raise not_found()
    return row


def _load(shop: str, import_id: int) -> dict[str, Any]:
    with reading(get_context().engine) as conn:
        row = _find(conn, find_shop(conn, shop), import_id)
        preview = None if "counts" in row.result else preview_work(conn, row)
        earlier = find_earlier_import(conn, row)
    counts = preview.counts if preview is not None else row.result.get("counts", {})
    return {
        **build_work(row, shop),
        "counts": {verdict: counts.get(verdict, 0) for verdict in EVERY_VERDICT},
        "column": row.wanted["tracking_heading"],
        "earlier": earlier.id if earlier is not None else None,
    }


def _build_row(row: JudgedRow, *, is_shown: bool) -> dict[str, Any]:
    numbers = [package.tracking_number for package in row.packages]
    names = ("number", "verdict", "reason", "order_number")
    return {**{name: getattr(row, name) for name in names}, "tracking_numbers": numbers if is_shown else None}
