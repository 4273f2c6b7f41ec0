"""Files between a shop and those who pack its boxes: exports, each written when it is fetched, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment_files import FILE_ADAPTERS, FileFormat
from pipeline.fulfilment.exports import Wanted, repeat_export
from pipeline.fulfilment.work import read_wanted, request_export
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.batches import list_frozen_waves
from pipeline.ledger.fulfilment.exports import ExportRow, list_exports, list_ready
from pipeline.ledger.fulfilment.warehouses import WarehouseRow, find_warehouse
from pipeline.ledger.fulfilment.work import WorkKind, WorkRow, list_work
from pipeline.warehouses import get_title
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence
from receiver.pages.warehouse.wording import STATES, describe_reason
from receiver.pages.warehouse.work import WorkView, load_people, show_work
from receiver.row_ids import parse_row_id

blueprint = Blueprint("files", __name__)

FORMATS: Mapping[FileFormat, str] = {"csv": "CSV", "xlsx": "Excel (XLSX)"}
# The columns of a file, as its form offers them; "": as the warehouse was set up.
PRESETS: Mapping[str, str] = {"": "as set up", "pirate_ship": "Pirate Ship", "generic": "generic"}
MAX_COLUMNS_CHARACTERS = 2_000
MAX_SHOWN = 20  # exports and imports, the newest
MAX_LEFT_OUT = 50  # boxes of one export that are named


@dataclass(frozen=True, slots=True)
class ExportView:
    """An export as a row of the page."""

    row: ExportRow
    made_by: str
    file_format: FileFormat
    left_out: Sequence[tuple[str, str]]  # the number of a box, and why it is not in the file after all


@blueprint.get("/stores/<name>/warehouse/files")
@requires("see")
def show(name: str) -> ResponseReturnValue:
    """Show what can be exported, what was, and where a returned file is uploaded."""
    with reading(get_context().engine) as conn:
        if find_warehouse(conn, get_my_store(name).store_id) is None:
            return redirect(url_for("warehouse.show", name=name))
    return render_files(name, {"batch": request.args.get("batch", "")}, {})


@blueprint.post("/stores/<name>/warehouse/files")
@requires("replay")
def export(name: str) -> ResponseReturnValue:
    """Have the boxes that are ready exported; or say at the field what is wrong."""
    store, typed = get_my_store(name), {key: request.form.get(key, "").strip() for key in _FIELDS}
    try:
        request_export(get_context(), store.store_id, _read_form(typed), get_actor())
    except Misconfigured as error:
        place = "columns" if typed["columns"] and "column" in str(error) else "export"
        return render_files(name, typed, {place: sentence(str(error))}), 422
    return redirect(url_for("files.show", name=name))


@blueprint.get("/stores/<name>/warehouse/exports/<int:export_id>/<file_format>")
@requires("replay")
def download(name: str, export_id: int, file_format: str) -> ResponseReturnValue:
    """Write the file of an export and hand it out, without what has left or is cancelled."""
    store = get_my_store(name)
    with reading(get_context().engine) as conn:
        works = list_work(conn, store.store_id, _EXPORTS, limit=1_000)
    made = next((work for work in works if work.result.get("export") == export_id), None)
    layout = read_wanted(made.wanted).layout if made is not None else {}
    wanted = Wanted(_parse_format(file_format) or abort(404), layout)
    try:
        exported = repeat_export(get_context(), store.store_id, export_id, wanted, get_actor())
    except Misconfigured as error:
        flash(f"There is no file. {sentence(str(error))}", "error")
        return redirect(url_for("files.show", name=name))
    headers = {"Content-Disposition": f'attachment; filename="{store.name}-{exported.file.name}"'}
    return Response(exported.file.content, content_type=exported.file.content_type, headers=headers)


def takes_files(row: WarehouseRow | None) -> bool:
    """Whether boxes go to this warehouse in files."""
    return row is not None and row.adapter in FILE_ADAPTERS


def render_files(name: str, typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    """The page, with what was typed and what is wrong with it, by field. `file`: what is wrong with an upload."""
    store, now = get_my_store(name), get_context().now()
    with reading(get_context().engine) as conn:
        row = find_warehouse(conn, store.store_id) or abort(404)
        people = load_people(conn, store)
        works = list_work(conn, store.store_id, ("export", "import"), limit=MAX_SHOWN * 2)
        exports = list_exports(conn, store.store_id, limit=MAX_SHOWN)
        views = [_show_export(one, works, people.name(one.user_id)) for one in exports]
        ready = len(list_ready(conn, store.store_id, now))
        frozen = list_frozen_waves(conn, store.store_id)
    shown = [view for work in works if (view := show_work(work, people)) is not None]
    return render_template(
        "warehouse_files.html",
        store=store,
        row=row,
        takes_files=takes_files(row),
        title_of_warehouse=get_title(row.adapter),
        ready=ready,
        frozen=[(_name_wave(*one), _describe_wave(*one)) for one in frozen],
        formats=FORMATS,
        presets=PRESETS,
        typed=typed,
        errors=errors,
        longest=MAX_COLUMNS_CHARACTERS,
        working=_find(shown, "export"),
        exports=views,
        imports=[one for one in shown if one.row.kind == "import"][:MAX_SHOWN],
        may_act=store.allows("replay"),
    )


_EXPORTS: tuple[WorkKind] = ("export",)
_FIELDS = ("format", "preset", "columns", "batch")


def _read_form(typed: Mapping[str, str]) -> Wanted:
    """What is to be exported. Raises Misconfigured."""
    if len(typed["columns"]) > MAX_COLUMNS_CHARACTERS:
        raise Misconfigured(f"the columns are longer than {MAX_COLUMNS_CHARACTERS} characters")
    layout: dict[str, str] = {"preset": typed["preset"], "columns": ""} if typed["preset"] else {}
    layout |= {"columns": typed["columns"]} if typed["columns"] else {}
    number, slash, wave = typed["batch"].partition("/")
    batch_id = parse_row_id(number) if number else None
    if number and batch_id is None:
        raise Misconfigured("there is no such batch")
    return Wanted(_parse_format(typed["format"]) or "csv", layout, batch_id, wave if slash else None)


def _parse_format(text: str) -> FileFormat | None:
    return next((one for one in get_args(FileFormat) if one == text), None)


def _show_export(row: ExportRow, works: Sequence[WorkRow], made_by: str) -> ExportView:
    made = next((work for work in works if work.result.get("export") == row.id), None)
    if made is None:
        return ExportView(row, made_by, "csv", ())
    left_out = sorted(made.result.get("left_out", {}).items())
    explained = [(number, _explain(reason)) for number, reason in left_out[:MAX_LEFT_OUT]]
    return ExportView(row, made_by, read_wanted(made.wanted).file_format, explained)


def _explain(reason: str) -> str:
    """Why a box was left out: the reason of its state, or the state."""
    return f"It is {STATES[reason][1]} by now." if reason in STATES else describe_reason(reason)


def _find(works: Sequence[WorkView], kind: str) -> WorkView | None:
    """The newest work of this kind."""
    return next((one for one in works if one.row.kind == kind), None)


def _name_wave(batch_id: int, wave: str) -> str:
    return f"{batch_id}/{wave}" if wave else str(batch_id)


def _describe_wave(batch_id: int, wave: str) -> str:
    return f"batch {batch_id}{', ' if wave else ''}{wave}"
