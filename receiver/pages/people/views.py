"""Finds a person of a store, and shows them: what is known, why events were sent or not, and what happened."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.core.errors import Misconfigured
from pipeline.core.roles import OWNER
from pipeline.events.catalogue import EVENTS
from pipeline.events.money import format_money
from pipeline.ledger.accounts import VisibleStore, list_members
from pipeline.ledger.engine import reading
from pipeline.ledger.queries.person_events import EventsAsked
from pipeline.ledger.regulations import list_regulations
from pipeline.people.timeline import TimelineCursor, answer_why, load_timeline
from pipeline.regulations.people import find_person
from pipeline.regulations.progress import describe_destinations
from receiver.pages.addresses import read_cursor, read_time
from receiver.pages.auth.permissions import get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence
from receiver.pages.people.page import blueprint, get_row, load_page

MAX_ERASURES = 50  # shown below the form


@blueprint.get("/stores/<name>/people")
@requires("see")
def search(name: str) -> str:
    """Show the form that finds a person, and the newest erasures."""
    return _render_search(get_my_store(name))


@blueprint.post("/stores/<name>/people")
@requires("see")
def find(name: str) -> ResponseReturnValue:
    """Find a person by address or id. The address is in no URL: those are in logs and histories."""
    store = get_my_store(name)
    try:
        with reading(get_context().engine) as conn:
            found = find_person(conn, get_row(conn, store), request.form.get("wanted", ""))
    except Misconfigured as error:
        return _render_search(store, sentence(str(error))), 400
    if found.person_id is None:
        return _render_search(store, "The store has no person with that address or id."), 404
    return redirect(url_for("people.show", name=name, person_id=found.person_id))


@blueprint.get("/stores/<name>/people/<int:person_id>")
@requires("see")
def show(name: str, person_id: int) -> str:
    """Show one person, the answer to what is asked about them, and a page of their timeline."""
    store, now = get_my_store(name), get_context().now()
    asked, cursor = _read_question(), TimelineCursor(*read_cursor(request.args.get("before")))
    with reading(get_context().engine) as conn:
        person = load_page(conn, store, person_id)
        why = answer_why(conn, get_row(conn, store), person_id, asked, format_money, now)
        timeline = load_timeline(conn, person_id, format_money, now, cursor)
        owners = [member.email for member in list_members(conn, store.account_id) if member.role == OWNER]
    return render_template(
        "person.html",
        store=store,
        person=person,
        why=why,
        is_asked=bool(request.args.get("event") or request.args.get("since")),
        timeline=timeline,
        is_newest=cursor == TimelineCursor(),
        events=sorted(name for name, row in EVENTS.items() if row.buyer),
        may_release=store.allows("change_settings"),
        may_erase=store.allows("personal_data"),
        owners=owners,
    )


def _render_search(store: VisibleStore, trouble: str | None = None) -> str:
    with reading(get_context().engine) as conn:
        newest = list_regulations(conn, store.store_id)[: -MAX_ERASURES - 1 : -1]
        places = describe_destinations(conn, [row.id for row in newest])
    erasures = [(row, [place for place in places if place["regulation"] == row.id]) for row in newest]
    return render_template("people.html", store=store, erasures=erasures, trouble=trouble)


def _read_question() -> EventsAsked:
    """Which events are asked about."""
    return EventsAsked(request.args.get("event") or None, read_time(request.args.get("since")))
