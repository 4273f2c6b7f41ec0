"""Returned files of a shop's warehouse: uploaded, shown row by row, and written only once a person has confirmed it."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import State
from pipeline.fulfilment.imports import EVERY_VERDICT
from pipeline.fulfilment.returned_rows import JudgedRow, Verdict
from pipeline.fulfilment.work import find_earlier_import, preview_work, request_import, take_in_file
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.work import WorkRow, find_work
from pipeline.ledger.queries.fulfilment import count_quarantined
from receiver.hooks.page_bodies import MAX_UPLOAD_BYTES
from receiver.pages.addresses import read_id
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence
from receiver.pages.warehouse.files import render_files
from receiver.pages.warehouse.wording import STATES
from receiver.pages.warehouse.work import load_people, show_work

blueprint = Blueprint("imports", __name__)

MAX_FILE_BYTES = 10 * 1024 * 1024 + 1  # one more than is read, so that a longer file is refused with its reason
PAGE_SIZE = 100  # rows
# verdict -> the title of its tab, and what stands below its figure
VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    "match": ("Match", "are written"),
    "already_there": ("There already", "nothing to do"),
    "not_shipped": ("Without a number", "not shipped yet"),
    "ambiguous": ("Ambiguous", "for a person"),
    "unknown": ("Unknown", "left as they are"),
    "unreadable": ("Unreadable", "refused"),
}
# Why a row is not a match.
REASONS: Mapping[str, str] = {
    "no_reference": "There is no reference in this row.",
    "several_references": "The row names several boxes.",
    "no_such_box": "This shop has no box of that reference.",
    "no_tracking_number": "The row has no tracking number.",
    "number_of_another_box": "The tracking number is that of another box, too.",
    "several_numbers": "The file has different tracking numbers for this box.",
    "not_exported": "This box was not handed out in a file.",
    "has_another_number": "The box has another tracking number already.",
    "repeated_row": "The file has this row more than once.",
}


def allow_uploads(app: Flask) -> None:
    """Let users who are logged in send a file where one is imported. Call it before forms are read."""

    @app.before_request
    def allow() -> None:
        if request.endpoint == "imports.upload" and current_user.is_authenticated:
            request.max_content_length = MAX_UPLOAD_BYTES


@blueprint.post("/stores/<name>/warehouse/imports")
@requires("replay")
def upload(name: str) -> ResponseReturnValue:
    """Read a file, and show what would become of each row; nothing is written."""
    sent = request.files.get("file")
    content = sent.stream.read(MAX_FILE_BYTES) if sent is not None else b""
    if not content:
        return render_files(name, {}, {"file": "Choose a file first; the one that was sent is empty."}), 422
    try:
        work = take_in_file(get_context(), get_my_store(name).store_id, content, get_actor())
    except Misconfigured as error:
        return render_files(name, {}, {"file": sentence(str(error))}), 422
    return redirect(url_for("imports.show", name=name, work_id=work.id))


@blueprint.get("/stores/<name>/warehouse/imports/<int:work_id>")
@requires("see")
def show(name: str, work_id: int) -> str:
    """Show what becomes of each row, how far the writing is, or what it has brought."""
    store, shown = get_my_store(name), request.args.get("show", "")
    if shown and shown not in VERDICTS:
        abort(404)
    after = read_id(request.args.get("after")) or 0
    with reading(get_context().engine) as conn:
        work = _get_work(conn, store, work_id)
        people = load_people(conn, store)
        view, earlier = show_work(work, people), show_work(find_earlier_import(conn, work), people)
        preview = preview_work(conn, work)
        apart = count_quarantined(conn, store.store_id)
    rows = [row for row in preview.rows if shown in ("", row.verdict) and row.number > after] if preview else []
    counts = work.result.get("counts") or (preview.counts if preview else {})
    return render_template(
        "warehouse_import.html",
        store=store,
        work=view,
        earlier=earlier,
        preview=preview,
        counts={verdict: counts.get(verdict, 0) for verdict in EVERY_VERDICT},
        verdicts=VERDICTS,
        shown=shown,
        rows=[(row, _explain(row)) for row in rows[:PAGE_SIZE]],
        is_first=not after,
        further=rows[PAGE_SIZE - 1].number if len(rows) > PAGE_SIZE else None,
        apart=apart,
        may_act=store.allows("replay"),
    )


@blueprint.post("/stores/<name>/warehouse/imports/<int:work_id>")
@requires("replay")
def apply(name: str, work_id: int) -> ResponseReturnValue:
    """Have the rows that match written."""
    try:
        request_import(get_context(), get_my_store(name).store_id, work_id, get_actor())
    except Misconfigured as error:
        flash(f"Nothing was written. {sentence(str(error))}", "error")
    return redirect(url_for("imports.show", name=name, work_id=work_id))


def _get_work(conn: Connection, store: VisibleStore, work_id: int) -> WorkRow:
    work = find_work(conn, store.store_id, work_id)
    return work if work is not None and work.kind == "import" else abort(404)


def _explain(row: JudgedRow) -> str:
    """Why the row is not written, as a sentence."""
    if row.reason in set(State):
        return f"The box is otherwise by now: {STATES[row.reason][1]}."
    return REASONS.get(row.reason) or (sentence(row.reason) if row.reason else "")
