"""Rehearsals of a store: asked for, watched, and what they found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.destinations import DESTINATIONS
from pipeline.ledger.connections import format_connection_name, list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.rehearsals import RehearsalRow, find_rehearsal, insert_rehearsal, list_rehearsals
from pipeline.rehearsal.change import RehearsedChange, dump_change, find_new_connection_id, load_change
from receiver.pages.auth.permissions import get_my_id, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import platform

blueprint = Blueprint("store_rehearsals", __name__)

DAYS = (7, 30, 90)
USUAL_DAYS = 30


@blueprint.get("/stores/<name>/rehearsals")
@requires("see")
def index(name: str) -> str:
    """List the rehearsals of a store, and offer that of another platform."""
    mine = get_my_store(name)
    with reading(get_context().engine) as conn:
        rows = list_rehearsals(conn, [mine.store_id])
        titles = _name_connections(mine.store_id)
    return render_template(
        "rehearsals.html",
        store=mine,
        rehearsals=[(row, describe_change(row, titles)) for row in rows],
        platforms={key: one.title for key, one in DESTINATIONS.items() if key not in _NEED_A_DOCUMENT},
        days=DAYS,
        usual_days=USUAL_DAYS,
        can_change=mine.allows("change_settings"),
    )


@blueprint.post("/stores/<name>/rehearsals")
@requires("change_settings")
def create(name: str) -> ResponseReturnValue:
    """Ask for the rehearsal of one platform more."""
    mine = get_my_store(name)
    added, days = request.form.get("platform", ""), request.form.get("days", str(USUAL_DAYS))
    if added not in DESTINATIONS or added in _NEED_A_DOCUMENT or days not in map(str, DAYS):
        abort(404)
    return redirect(_ask(mine.store_id, name, RehearsedChange(platform=added), int(days)))


@blueprint.get("/stores/<name>/rehearsals/<int:number>")
@requires("see")
def show(name: str, number: int) -> str:
    """Show a rehearsal: how far it is, or what it found."""
    return render_template("rehearsal.html", **_load(name, number))


@blueprint.get("/stores/<name>/rehearsals/<int:number>/result")
@requires("see")
def result(name: str, number: int) -> Response:
    """Render what changes. When nothing will change any more, the page is loaded anew."""
    loaded = _load(name, number)
    response = make_response(render_template("rehearsal_result.html", **loaded))
    if not loaded["row"].is_working:
        response.headers["HX-Refresh"] = "true"
    return response


def ask_for_mapping(store_id: int, name: str, connection_id: int, mapping: str | None) -> str:
    """Ask for the rehearsal of a mapping, and return the address of its page."""
    return _ask(store_id, name, RehearsedChange({connection_id: mapping}), USUAL_DAYS)


def _ask(store_id: int, name: str, change: RehearsedChange, days: int) -> str:
    context = get_context()
    with writing(context.engine) as conn:
        number = insert_rehearsal(
            conn, store_id, dump_change(change), days, context.now(), asked_by=get_my_id(), is_waiting=True
        )
    flash("The rehearsal begins when a worker is free. It goes on by itself, also when you leave this page.", "info")
    return url_for("store_rehearsals.show", name=name, number=number)


def _load(name: str, number: int) -> dict[str, Any]:
    mine = get_my_store(name)
    with reading(get_context().engine) as conn:
        row = find_rehearsal(conn, number)
    if row is None or row.store_id != mine.store_id:
        abort(404)
    titles = _name_connections(mine.store_id)
    change = load_change(row.change)
    if change.platform is not None:
        titles |= {find_new_connection_id(list(titles)): f"{platform(change.platform)} (new)"}
    described = {"change": describe_change(row, titles), "command": _write_command(name, row.days, change)}
    return {"store": mine, "row": row, "titles": titles, **described}


def _name_connections(store_id: int) -> dict[int, str]:
    with reading(get_context().engine) as conn:
        rows = list_store_connections(conn, store_id)
    return {row.id: format_connection_name(platform(row.platform), row.label, row.title) for row in rows}


def _write_command(name: str, days: int, change: RehearsedChange) -> str:
    """The command that rehearses the same; a mapping is a file, with what the page of the connection has."""
    added = f" --add-platform {change.platform}" if change.platform else ""
    mapped = " --mapping mapping.json" if change.mappings else ""
    return f"cratewire rehearse --store {name} --days {days}{added}{mapped} --list"


def describe_change(row: RehearsalRow, titles: Mapping[int, str]) -> str:
    """Say in words what was rehearsed."""
    change = load_change(row.change)
    parts = [f"another mapping for {titles.get(number, 'a former connection')}" for number in change.mappings]
    if change.platform is not None:
        parts.append(f"{platform(change.platform)} as one platform more")
    if change.store:
        parts.append("other settings of the shop")
    if row.release is not None:
        parts.append(f"another version of Cratewire ({row.release})")
    return ", ".join(parts) or "nothing changed"


_NEED_A_DOCUMENT = frozenset({"http"})  # which only the command line takes
