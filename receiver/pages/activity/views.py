"""The activity feed: what happens in the shops of the user, live, and each event with everything about it."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.events.catalogue import EVENTS
from receiver.live import STORES_HEADER
from receiver.pages.activity.asked import build_asked
from receiver.pages.activity.event import build_event_page, load_my_event
from receiver.pages.activity.query import SHOWN, SHOWN_BESIDES, SOURCES, read_query
from receiver.pages.activity.rows import load_my_rows, load_rows, load_unreadable_rows
from receiver.pages.activity.saved_views import build_address, list_my_views
from receiver.pages.addresses import read_ids
from receiver.pages.auth.permissions import list_my_stores, requires
from receiver.pages.db_session import get_context

blueprint = Blueprint("activity", __name__)

PAGE_SIZE = 50
MAX_ROWS_REFRESHED = 100  # rows of a page that still wait


@blueprint.get("/activity")
@requires("see")
def show() -> ResponseReturnValue:
    """Show a page of the feed; without any parameter, the user's default view."""
    stores = list_my_stores()
    views = list_my_views(stores)
    default = next((view for view in views if view.is_default), None)
    if default is not None and not request.args:
        return redirect(url_for("activity.show", **build_address(default.query)))
    query = read_query(stores)
    rows = load_rows(query, limit=PAGE_SIZE + 1)
    unreadable = load_unreadable_rows(query, limit=PAGE_SIZE + 1)
    found = rows or unreadable
    page, is_last = found[:PAGE_SIZE], len(found) <= PAGE_SIZE
    return render_template(
        "activity.html",
        rows=rows[:PAGE_SIZE],
        unreadable=unreadable[:PAGE_SIZE],
        query=query,
        shown=SHOWN,
        shown_besides=SHOWN_BESIDES,
        sources=SOURCES,
        keeps_days=get_context().settings.keep_events_days,
        stores=stores,
        views=views,
        events=sorted(EVENTS),
        older=None if is_last else {**query.given, "before": page[-1].id},
        newest=rows[0].id if rows else 0,
        is_live=query.before is None and query.wanted.until is None and query.wanted.show != "unreadable",
    )


@blueprint.get("/activity/new")
@requires("see")
def new() -> str:
    """Render the events that arrived after the newest one shown, and those rows anew that were waiting.

    The oldest of them come first, a page at a time: so none is skipped, however long the feed was paused.
    """
    stores = list_my_stores()
    query = read_query(stores)
    rows = load_rows(query, limit=PAGE_SIZE)
    waiting = read_ids(request.args.getlist("open"), MAX_ROWS_REFRESHED)
    return render_template(
        "activity_new.html",
        rows=rows,
        refreshed=load_my_rows(stores, waiting),
        query=query,
        newest=rows[0].id if rows else query.after or 0,
        has_more=len(rows) == PAGE_SIZE,
    )


@blueprint.get("/activity/<int:event_id>")
@requires("see")
def event(event_id: int) -> str:
    """Show everything about one event of the user's stores."""
    view, detail = load_my_event(event_id)
    return render_template("event.html", **build_event_page(view, detail), **build_asked(event_id, detail))


@blueprint.get("/activity/live")
@requires("see")
def live() -> Response:
    """Begin the stream that says when something has changed. The server goes on with it: see receiver.live."""
    response = Response("retry: 1000\n\n", mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold the stream back otherwise
    response.headers[STORES_HEADER] = ",".join(str(store.store_id) for store in list_my_stores())
    return response
