"""The mapping of a connection: what it gets under which names, tried over recent events before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.core.errors import Misconfigured
from pipeline.events.catalogue import EVENTS, EventRow
from pipeline.ledger.connections import ConnectionRow, format_connection_name, list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import StoreRow, get_store
from pipeline.mapping.rules import AS_IT_IS, ConnectionMapping, change_mapping, format_mapping, parse_mapping
from pipeline.mapping.save import save_mapping
from pipeline.mapping.trial import try_mapping
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import platform, sentence
from receiver.pages.stores.rehearsals import ask_for_mapping

blueprint = Blueprint("store_mapping", __name__)

LAST_EVENTS = 1_000


@dataclass(frozen=True, slots=True)
class MappedEvent:
    """One event as a row of the form. `is_kept`: the store sends it nowhere, whatever is chosen here."""

    row: EventRow
    is_on: bool
    there: str
    is_kept: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """The connection of a user's store."""

    store: StoreRow
    connection: ConnectionRow

    @property
    def saved(self) -> ConnectionMapping:
        return parse_mapping(self.connection.mapping)


@blueprint.get("/stores/<name>/connections/<int:connection_id>/mapping")
@requires("see")
def show(name: str, connection_id: int) -> str:
    """Show the form."""
    place = _find(name, connection_id)
    return _render(place, place.saved, _write_attributes(place.saved))


@blueprint.post("/stores/<name>/connections/<int:connection_id>/mapping")
@requires("change_settings")
def change(name: str, connection_id: int) -> ResponseReturnValue:
    """Try a change, rehearse it or save it: by the button that was pressed."""
    context, place = get_context(), _find(name, connection_id)
    before, typed = place.saved, request.form.get("attributes", "")
    if request.form.get("before", "") != (place.connection.mapping or ""):
        text = "The mapping was changed meanwhile: look at it again."
        return _render(place, before, _write_attributes(before), error=text), 409
    try:
        after = change_mapping(AS_IT_IS, _read_events(before), _read_attributes(typed))
    except Misconfigured as error:
        return _render(place, before, typed, error=sentence(str(error))), 422
    if request.form.get("button") == "save":
        with writing(context.engine) as conn:
            changed = save_mapping(conn, place.connection, after, get_actor(), context.now())
        flash("Saved. It holds for what leaves from now on." if changed else "Nothing was changed.", "success")
        return redirect(url_for("store_mapping.show", name=name, connection_id=connection_id))
    if request.form.get("button") == "rehearse":
        return redirect(ask_for_mapping(place.store.id, name, connection_id, format_mapping(after)))
    with reading(context.engine) as conn:
        counts = try_mapping(conn, place.store, before, after, LAST_EVENTS)
    return _render(place, after, typed, counts=counts)


def _find(name: str, connection_id: int) -> _Place:
    """Return a connection of the user's store; abort with 404 if it has none with this id."""
    mine = get_my_store(name)
    with reading(get_context().engine) as conn:
        store = get_store(conn, mine.store_id) or abort(404)
        found = [one for one in list_store_connections(conn, store.id) if one.id == connection_id]
    return _Place(store, found[0] if found else abort(404))


def _render(place: _Place, mapping: ConnectionMapping, attributes: str, **said: Any) -> str:
    """Render the form. `said`: counts of a trial, or an error."""
    store, connection = place.store, place.connection
    events = [
        MappedEvent(
            row=row,
            is_on=mapping.events.get(row.name, row.name) is not None,
            there=mapping.events.get(row.name) or row.name,
            is_kept=not store.forwards(row.name, by_default=row.forwarded),
        )
        for row in EVENTS.values()
        if row.buyer
    ]
    mine = get_my_store(store.name)
    return render_template(
        "connection_mapping.html",
        store=mine,
        connection=connection,
        title_there=format_connection_name(platform(connection.platform), connection.label, connection.title),
        events=events,
        attributes=attributes,
        counts=said.get("counts"),
        error=said.get("error", ""),
        before=connection.mapping or "",
        can_change=mine.allows("change_settings"),
    )


def _read_events(before: ConnectionMapping) -> dict[str, str | None]:
    """Return the names there by event: None without its tick. Events that the form does not show stay as they are."""
    on = set(request.form.getlist("on"))
    names = dict(before.events)
    for name in (row.name for row in EVENTS.values() if row.buyer):
        names[name] = (request.form.get(f"there-{name}", "").strip() or name) if name in on else None
    return names


def _read_attributes(text: str) -> Mapping[str, str | None]:
    """Return the names there by attribute, from lines of `name = name there`; nothing after it: not sent."""
    pairs: dict[str, str | None] = {}
    for line in filter(str.strip, text.splitlines()):
        name, found, there = line.partition("=")
        if not found:
            raise Misconfigured(f"attributes: {line.strip()[:60]}: write name = name there")
        pairs[name.strip()] = there.strip() or None
    return pairs


def _write_attributes(mapping: ConnectionMapping) -> str:
    return "\n".join(f"{name} = {there or ''}".rstrip() for name, there in sorted(mapping.attributes.items()))
