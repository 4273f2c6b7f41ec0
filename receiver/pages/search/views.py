"""The search of the header: one box for people and events. It says what it recognised, and goes to the only hit."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.ledger.engine import reading
from pipeline.ledger.queries.search import MAX_FOUND, SearchResult, search
from pipeline.ledger.search_terms import is_search_filled
from receiver.pages.activity.rows import load_my_rows
from receiver.pages.auth.permissions import list_my_stores, requires
from receiver.pages.db_session import get_context

blueprint = Blueprint("search", __name__)


@blueprint.get("/search")
@requires("see")
def show() -> ResponseReturnValue:
    """Search in the stores of the user."""
    stores = list_my_stores()
    text = request.args.get("q", "").strip()
    with reading(get_context().engine) as conn:
        found = search(conn, [store.store_id for store in stores], text)
        is_filled = is_search_filled(conn)
    if found.hits == 1:
        flash(f"Found by the {found.recognised[0]}.", "info")
        return redirect(_find_address(found))
    return render_template(
        "search.html",
        text=text,
        found=found,
        most=MAX_FOUND,
        rows=load_my_rows(stores, found.event_ids),
        titles={store.name: store.shown_name for store in stores},
        is_filled=is_filled,
    )


def _find_address(found: SearchResult) -> str:
    """The page of the only hit."""
    for person in found.people:
        return url_for("people.show", name=person.store, person_id=person.id)
    for event_id in found.event_ids:
        return url_for("activity.event", event_id=event_id)
    return url_for("unreadable.show", dead_id=found.hook_ids[0])
