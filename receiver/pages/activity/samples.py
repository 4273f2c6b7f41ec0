"""Samples of events: saved from an event's page, listed, shown and deleted."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.core.errors import Misconfigured
from pipeline.core.roles import is_allowed
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.samples import SampleRow, delete_sample, get_sample, list_samples, save_sample
from receiver.pages.activity.event import load_my_event
from receiver.pages.activity.json_lines import build_json_lines
from receiver.pages.auth.permissions import get_actor, list_my_stores, require, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("samples", __name__)


@blueprint.get("/samples")
@requires("see")
def index() -> str:
    """List the samples of the user's stores."""
    stores = list_my_stores()
    with reading(get_context().engine) as conn:
        samples = list_samples(conn, [store.store_id for store in stores])
    return render_template("samples.html", samples=samples, titles={store.name: store.shown_name for store in stores})


@blueprint.get("/samples/<int:sample_id>")
@requires("see")
def show(sample_id: int) -> str:
    """Show one sample."""
    sample, store = _load(sample_id)
    can_delete = is_allowed(store.role, "replay")
    data = build_json_lines(sample.data)
    return render_template("sample.html", sample=sample, store=store, data=data, can_delete=can_delete)


@blueprint.post("/activity/<int:event_id>/sample")
@requires("see")
def save(event_id: int) -> ResponseReturnValue:
    """Save an event of the user's stores as a sample."""
    view, _ = load_my_event(event_id)
    store = next(store for store in list_my_stores() if store.name == view.event.store)
    require(store.account_id, "replay")
    context = get_context()
    try:
        with writing(context.engine) as conn:
            sample_id = save_sample(conn, event_id, request.form.get("name", ""), get_actor(), context.now())
    except Misconfigured as error:
        flash(sentence(str(error)), "error")
        return redirect(url_for("activity.event", event_id=event_id))
    flash("The sample is saved. Every personal detail in it is replaced.", "success")
    return redirect(url_for("samples.show", sample_id=sample_id))


@blueprint.post("/samples/<int:sample_id>/delete")
@requires("see")
def delete(sample_id: int) -> ResponseReturnValue:
    """Delete a sample of the user's stores."""
    _, store = _load(sample_id)
    require(store.account_id, "replay")
    context = get_context()
    with writing(context.engine) as conn:
        delete_sample(conn, sample_id, get_actor(), context.now())
    flash("The sample is deleted.", "success")
    return redirect(url_for("samples.index"))


def _load(sample_id: int) -> tuple[SampleRow, VisibleStore]:
    with reading(get_context().engine) as conn:
        sample = get_sample(conn, sample_id) or abort(404)
    store = next((store for store in list_my_stores() if store.name == sample.store), None) or abort(404)
    return sample, store
