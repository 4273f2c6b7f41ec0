"""The test event of a shop's page: asks first, goes to the user's own address, and shows when it has arrived."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from pipeline.core.errors import Misconfigured
from pipeline.ledger.connections import format_connection_name, list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.operations.own_test_event import TEST_EVENT, TestEvent, send_test_event
from receiver.pages.activity.rows import EventRow, load_my_rows
from receiver.pages.addresses import read_id
from receiver.pages.auth.permissions import get_actor, get_my_store, list_my_stores, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import platform, sentence

blueprint = Blueprint("own_test_event", __name__)


@blueprint.get("/stores/<name>/test-event")
@requires("replay")
def ask(name: str) -> str:
    """Say what a test event does."""
    store, only = get_my_store(name), read_id(request.args.get("connection"))
    with reading(get_context().engine) as conn:
        connections = [
            format_connection_name(platform(row.platform), row.label, row.title)
            for row in list_store_connections(conn, store.store_id)
            if only in (None, row.id)
        ]
    return render_template(
        "own_test_event.html", store=store, email=_get_own_address(), connections=connections, event=TEST_EVENT
    )


@blueprint.post("/stores/<name>/test-event")
@requires("replay")
def send(name: str) -> ResponseReturnValue:
    """Send it to the user's own address, which they have confirmed: over all connections, or over one."""
    store, context = get_my_store(name), get_context()
    test = TestEvent(
        store.name,
        _get_own_address() or abort(403),
        context.make_nonce(),
        context.now(),
        get_actor(),
        context.settings.secret_keys,
        read_id(request.args.get("connection")),
    )
    try:
        with writing(context.engine) as conn:
            event_id = send_test_event(conn, test)
    except Misconfigured as error:
        flash(f"Nothing was sent. {sentence(str(error))}", "error")
        return redirect(url_for("own_test_event.ask", name=name))
    return redirect(url_for("own_test_event.show", name=name, event_id=event_id))


@blueprint.get("/stores/<name>/test-event/<int:event_id>")
@requires("see")
def show(name: str, event_id: int) -> str:
    """Show whether it has arrived."""
    return render_template("own_test_event_sent.html", store=get_my_store(name), view=_load(name, event_id))


@blueprint.get("/stores/<name>/test-event/<int:event_id>/arrival")
@requires("see")
def arrival(name: str, event_id: int) -> Response:
    """Render what changes until it has arrived."""
    view = _load(name, event_id)
    return make_response(render_template("own_test_event_arrival.html", store=get_my_store(name), view=view))


def _get_own_address() -> str | None:
    """Return the user's address, if they have confirmed that it is theirs."""
    return str(current_user.email) if current_user.confirmed_at else None


def _load(name: str, event_id: int) -> EventRow:
    view = next(iter(load_my_rows(list_my_stores(), [event_id])), None)
    if view is None or view.event.store != name or view.event.name != TEST_EVENT:
        abort(404)
    return view
