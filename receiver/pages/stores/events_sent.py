"""Which events of a store go to its platforms, and what would be sent of a recent one."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.core.errors import Misconfigured
from pipeline.events.catalogue import EVENTS, EventRow
from pipeline.ledger.connections import format_connection_name, list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import StoreRow, get_store
from pipeline.operations.switch_events import switch_events
from pipeline.recording.preview import preview_event
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import platform, sentence

blueprint = Blueprint("store_events", __name__)


@dataclass(frozen=True, slots=True)
class EventSwitch:
    """One event with its switch. An event that concerns no person cannot be sent to a messaging platform."""

    row: EventRow
    is_on: bool

    @property
    def concerns_person(self) -> bool:
        return bool(self.row.buyer)


def list_switches(store: StoreRow) -> list[EventSwitch]:
    """List the events in the order of the catalogue."""
    return [EventSwitch(row, store.forwards(row.name, by_default=row.forwarded)) for row in EVENTS.values()]


@blueprint.post("/stores/<name>/settings/events")
@requires("change_settings")
def switch(name: str) -> ResponseReturnValue:
    """Send exactly the chosen events from now on."""
    context, mine = get_context(), get_my_store(name)
    tests = request.form.get("tests") == "yes"
    try:
        with writing(context.engine) as conn:
            store = get_store(conn, mine.store_id) or abort(404)
            changed = switch_events(conn, store, request.form.getlist("on"), get_actor(), context.now(), tests=tests)
    except Misconfigured as error:
        flash(f"Nothing was changed. {sentence(str(error))}", "error")
    else:
        says = "Saved. It holds for events that arrive from now on." if changed else "Nothing was changed."
        flash(says, "success")
    return redirect(url_for("store_settings.show", name=name, _anchor="events"))


@blueprint.get("/stores/<name>/settings/events/<event>")
@requires("see")
def preview(name: str, event: str) -> str:
    """Show what would be sent of the newest event of this kind."""
    row = EVENTS.get(event) or abort(404)
    mine = get_my_store(name)
    with reading(get_context().engine) as conn:
        store = get_store(conn, mine.store_id) or abort(404)
        found = preview_event(conn, store, event)
        connections = [
            format_connection_name(platform(one.platform), one.label, one.title)
            for one in list_store_connections(conn, store.id)
        ]
    view = EventSwitch(row, store.forwards(event, by_default=row.forwarded))
    return render_template("event_preview.html", store=mine, event=view, preview=found, connections=connections)
