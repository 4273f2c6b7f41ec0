"""The page of a shop's warehouse: choosing one, the report of the dry run, going live, pausing and resuming."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.fulfilment import set_up
from pipeline.fulfilment.pauses import describe_pause
from pipeline.fulfilment.set_up import DryRunReport
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.audit import Actor
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.warehouses import DRY_RUN, UNUSUAL, find_warehouse
from pipeline.ledger.store_apis import find_store_api
from pipeline.warehouses import WAREHOUSES, get_title
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence
from receiver.pages.warehouse import wording
from receiver.pages.warehouse.files import takes_files
from receiver.row_ids import parse_row_id

blueprint = Blueprint("warehouse", __name__)

ASKS_FOR_ONE_OWNER = "Nothing is sent yet: first confirm that nothing else sends this shop's boxes."


@blueprint.get("/stores/<name>/warehouse")
@requires("see")
def show(name: str) -> str:
    """Show the warehouse: what the first pass has found, or what goes on; without one, which there are."""
    store = get_my_store(name)
    with reading(get_context().engine) as conn:
        row = find_warehouse(conn, store.store_id)
        has_cratejoy = find_store_api(conn, store.store_id) is not None
        report, fault = _load_report(conn, store) if row is not None else (None, None)
    return render_template(
        "warehouse.html",
        store=store,
        row=row,
        title_of_warehouse=get_title(row.adapter) if row is not None else "",
        warehouses=WAREHOUSES,
        has_cratejoy=has_cratejoy,
        report=report,
        fault=fault,
        unread=[wording.describe_job(job) for job in report.unread] if report is not None else [],
        counted=wording.gather_counts(report.counts) if report is not None else [],
        takes_files=takes_files(row),
        is_dry_run=row is not None and row.mode == DRY_RUN,
        pause_effect=describe_pause(row) if row is not None else "",
        is_unusual=row is not None and (row.status_reason or "").startswith(UNUSUAL),
        can_change=store.allows("change_settings"),
    )


@blueprint.post("/stores/<name>/warehouse/go-live")
@requires("change_settings")
def go_live(name: str) -> ResponseReturnValue:
    """Accept the report as it was shown, and send from now on."""
    store = get_my_store(name)
    if not request.form.get("only_owner"):
        flash(ASKS_FOR_ONE_OWNER, "error")
        return _go_back(name)
    accepted = parse_row_id(request.form.get("accepted", ""))
    try:
        set_up.go_live(get_context(), store.store_id, -1 if accepted is None else accepted, get_actor())
    except Misconfigured as error:
        flash(f"Nothing is sent yet. {sentence(str(error))}", "error")
    else:
        flash("Live: boxes go to the warehouse from now on.", "success")
    return _go_back(name)


@blueprint.post("/stores/<name>/warehouse/pause")
@requires("pause")
def pause(name: str) -> ResponseReturnValue:
    """Give the warehouse no box; cancels, tracking and confirming go on."""
    return _switch(name, set_up.pause, "Paused. Boxes wait, and none is lost.", "It is paused already.")


@blueprint.post("/stores/<name>/warehouse/resume")
@requires("pause")
def resume(name: str) -> ResponseReturnValue:
    """Go on. What became due meanwhile is done at once."""
    return _switch(name, set_up.resume, "Resumed. What waited goes on.", "It is not paused.")


def _switch(name: str, act: Callable[[Context, int, Actor], bool], done: str, already: str) -> ResponseReturnValue:
    store = get_my_store(name)
    try:
        flash(done if act(get_context(), store.store_id, get_actor()) else already, "info")
    except Misconfigured as error:
        flash(sentence(str(error)), "error")
    return _go_back(name)


def _load_report(conn: Connection, store: VisibleStore) -> tuple[DryRunReport | None, str | None]:
    """The report, or why there is none: settings that cannot be read."""
    try:
        return set_up.build_report(conn, store.store_id), None
    except Misconfigured as error:
        return None, sentence(str(error))


def _go_back(name: str) -> ResponseReturnValue:
    return redirect(url_for("warehouse.show", name=name))


def add_words(app: Flask) -> None:
    """Let the templates say what boxes are: filters for states, kinds and reasons."""
    app.add_template_filter(lambda state: wording.STATES.get(state, ("not_started", state)), "box_state")
    app.add_template_filter(wording.describe_billing_type, "billing_type")
    app.add_template_filter(wording.describe_reason, "box_reason")
    app.add_template_filter(wording.describe_cure, "box_cure")
