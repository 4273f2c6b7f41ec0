"""The views of the feed that a user has saved: named filters, of which one may open with the feed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.core.errors import Misconfigured
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.saved_views import ViewRow, delete_view, list_views, save_view
from receiver.pages.activity.query import pick_parameters
from receiver.pages.auth.permissions import get_my_id, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("saved_views", __name__)


def list_my_views(stores: list[VisibleStore]) -> list[ViewRow]:
    """The user's views, without those of stores that they no longer see."""
    with reading(get_context().engine) as conn:
        views = list_views(conn, get_my_id())
    mine = {store.name for store in stores}
    return [view for view in views if view.query.get("store") in (None, *mine)]


def build_address(query: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a view's address; one that shows everything says so, or the default view would be shown."""
    return {"show": "all", **query}


@blueprint.post("/activity/views")
@requires("see")
def save() -> ResponseReturnValue:
    """Save what the feed shows now as a view."""
    context = get_context()
    query = pick_parameters(request.form)
    name, is_default = request.form.get("name", ""), "is_default" in request.form
    try:
        with writing(context.engine) as conn:
            save_view(conn, get_my_id(), name, query, context.now(), is_default=is_default)
    except Misconfigured as error:
        flash(sentence(str(error)), "error")
    else:
        flash("The view is saved." + (" Activity opens with it." if is_default else ""), "success")
    return redirect(url_for("activity.show", **build_address(query)))


@blueprint.post("/activity/views/<int:view_id>/delete")
@requires("see")
def delete(view_id: int) -> ResponseReturnValue:
    """Delete a view of the user."""
    with writing(get_context().engine) as conn:
        if not delete_view(conn, get_my_id(), view_id):
            abort(404)
    flash("The view is deleted.", "success")
    return redirect(url_for("activity.show", show="all"))
