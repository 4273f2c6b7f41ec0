"""Tracking that a warehouse has reported for no box that was sent: a person attaches it to a box, or dismisses it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.core.errors import Misconfigured, OrderChanged
from pipeline.fulfilment.requests import Requests
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.quarantine import list_quarantined
from pipeline.ledger.queries.fulfilment import count_quarantined
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("tracking", __name__)

CHANGED = "Nothing was changed: the box has just changed by itself. Look at it again."
MAX_SHOWN = 100  # the oldest; the next follow when these are decided


@blueprint.get("/stores/<name>/tracking")
@requires("see")
def show(name: str) -> str:
    """Show what is kept apart, the oldest first."""
    return _render(get_my_store(name))


def _render(store: VisibleStore, wrong: int | None = None, typed: str = "", error: str = "") -> str:
    """`wrong`: the parcel for which a number was typed that is no box's."""
    with reading(get_context().engine) as conn:
        kept, count = list_quarantined(conn, store.store_id, limit=MAX_SHOWN), count_quarantined(conn, store.store_id)
    return render_template(
        "tracking.html",
        store=store,
        kept=kept,
        count=count,
        may_decide=store.allows("replay"),
        wrong=wrong,
        typed=typed,
        error=error,
    )


@blueprint.post("/stores/<name>/tracking/<int:tracking_id>/attach")
@requires("replay")
def attach(name: str, tracking_id: int) -> ResponseReturnValue:
    """Take it for the box with the number that was typed: it is written to Cratejoy."""
    store, number = get_my_store(name), request.form.get("order_number", "")
    try:
        done = Requests(get_context(), store.store_id, get_actor()).attach(tracking_id, number)
    except OrderChanged:
        flash(CHANGED, "error")
    except Misconfigured as error:
        return _render(store, tracking_id, number, sentence(str(error))), 422
    else:
        flash(f"Attached to {done.order_number}.", "success")
    return redirect(url_for("tracking.show", name=name))


@blueprint.post("/stores/<name>/tracking/<int:tracking_id>/dismiss")
@requires("replay")
def dismiss(name: str, tracking_id: int) -> ResponseReturnValue:
    """Leave it as it is: it is written nowhere."""
    store = get_my_store(name)
    try:
        Requests(get_context(), store.store_id, get_actor()).dismiss(tracking_id)
        flash("Dismissed: it is written nowhere.", "success")
    except Misconfigured as error:
        flash(f"Nothing was changed. {sentence(str(error))}", "error")
    return redirect(url_for("tracking.show", name=name))
