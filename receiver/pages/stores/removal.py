"""The removal of a store by its owner: asked for with the store's name typed, called off, or forced past Cratejoy."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.ledger.audit import record_store_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.removals import call_off_removal, find_removal, request_removal
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.db_session import get_context

blueprint = Blueprint("store_removal", __name__)


@blueprint.get("/stores/<name>/removal")
@requires("change_settings")
def ask(name: str) -> str:
    """Ask for the store's name."""
    store = get_my_store(name)
    with reading(get_context().engine) as conn:
        removal = find_removal(conn, store.store_id)
    return render_template("store_removal.html", store=store, removal=removal, wrong=False)


@blueprint.post("/stores/<name>/removal")
@requires("change_settings")
def remove(name: str) -> ResponseReturnValue:
    """Ask for the removal; a task does it. Its hooks at Cratejoy are removed first."""
    store = get_my_store(name)
    if request.form.get("typed", "").strip() != store.name:
        return render_template("store_removal.html", store=store, removal=None, wrong=True), 422
    context = get_context()
    with writing(context.engine) as conn:
        request_removal(conn, store.store_id, context.now(), leaves_hooks=bool(request.form.get("leave_hooks")))
        record_store_action(conn, store.store_id, get_actor(), "store.removal_asked", context.now())
    return redirect(url_for("home.store", name=name))


@blueprint.post("/stores/<name>/removal/call-off")
@requires("change_settings")
def call_off(name: str) -> ResponseReturnValue:
    """Keep a store whose rows are not being deleted yet."""
    store, context = get_my_store(name), get_context()
    with writing(context.engine) as conn:
        is_kept = call_off_removal(conn, store.store_id, context.now())
        if is_kept:
            record_store_action(conn, store.store_id, get_actor(), "store.removal_called_off", context.now())
    flash("The store is kept." if is_kept else "That is no longer possible: the store is being deleted.", "info")
    return redirect(url_for("home.store", name=name))
