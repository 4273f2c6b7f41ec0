"""The parts of an event's page that are asked for on their own: its details in the feed, and its raw bytes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, render_template

from pipeline.core.errors import Misconfigured
from pipeline.core.roles import is_allowed
from pipeline.events.notes import describe_note
from pipeline.infra.crypto.encryption import decrypt
from pipeline.ledger.connections import find_connection
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import DeliveryDetail, EventDetail, get_event
from pipeline.mapping.rules import ConnectionMapping, parse_mapping
from receiver.document import as_document
from receiver.pages.activity.curl import build_hook_curl, build_message_curl
from receiver.pages.activity.json_lines import build_json_lines
from receiver.pages.activity.raw_bytes import send_bytes, show_bytes
from receiver.pages.activity.rows import EventRow, load_my_rows
from receiver.pages.activity.send_again import find_ways_to_replay
from receiver.pages.activity.waterfall import build_waterfall
from receiver.pages.auth.permissions import list_my_stores, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence, shorten

blueprint = Blueprint("event", __name__)

MAX_NOTE_CHARS = 300
MAX_CURL_CHARS = 40_000


def load_my_event(event_id: int) -> tuple[EventRow, EventDetail]:
    """An event of the user's stores; any other is a 404."""
    view = next(iter(load_my_rows(list_my_stores(), [event_id])), None) or abort(404)
    with reading(get_context().engine) as conn:
        detail = get_event(conn, event_id) or abort(404)
    return view, detail


def describe_notes(detail: EventDetail) -> list[str]:
    """The notes on an event as sentences, however long the names of its fields are."""
    return [shorten(sentence(describe_note(note)), MAX_NOTE_CHARS) for note in detail.notes]


def build_event_page(view: EventRow, detail: EventDetail) -> dict[str, Any]:
    """What the page of an event shows."""
    stores = {store.name: store for store in list_my_stores()}
    return {
        "view": view,
        "detail": detail,
        "shown_name": stores[view.event.store].shown_name,
        "waterfall": build_waterfall(detail, get_context().now()),
        "notes": describe_notes(detail),
        "raw": show_bytes(detail.raw),
        "data": build_json_lines(detail.data, list_unread_fields(detail)),
        "messages": [
            (
                delivery,
                build_json_lines(delivery.message, list_refused_fields(delivery)),
                build_message_curl(delivery, _load_config, _load_mappings(detail)),
            )
            for delivery in detail.deliveries
        ],
        "max_curl_chars": MAX_CURL_CHARS,
        "hook_curl": build_hook_curl(detail, get_context().settings.public_url),
        "can_sample": bool(detail.data) and is_allowed(stores[view.event.store].role, "replay"),
        "can_replay": find_ways_to_replay(detail, stores[view.event.store].role),
        "names": {person.person_id: person.email for person in detail.people},
        "names_of_messages": {delivery.id: f"{delivery.kind} {delivery.id}" for delivery in detail.deliveries},
        "attempts": count_attempts(detail),
    }


def _load_mappings(detail: EventDetail) -> dict[int, ConnectionMapping]:
    """The mappings of the connections over which this event went."""
    ids = {delivery.connection_id for delivery in detail.deliveries}
    with reading(get_context().engine) as conn:
        rows = [row for number in ids if (row := find_connection(conn, number)) is not None]
    return {row.id: parse_mapping(row.mapping) for row in rows if row.mapping}


def _load_config(connection_id: int) -> Mapping[str, str]:
    """Return the config of a connection; an empty one if it is gone, or no secret key of this installation opens it."""
    context = get_context()
    with reading(context.engine) as conn:
        row = find_connection(conn, connection_id)
    try:
        return {} if row is None else decrypt(context.settings.secret_keys, row.config, row.identity)
    except Misconfigured:
        return {}


def list_unread_fields(detail: EventDetail) -> dict[str, str]:
    """Path of a field that could not be read -> what to say at it."""
    return {
        note["field"]: f"left out: it {note['reason']}"
        for note in detail.notes
        if note.get("code") == "field_set_aside" and "field" in note
    }


def list_refused_fields(delivery: DeliveryDetail) -> dict[str, str]:
    """Path of a field of a message -> what the platform says about it. Its detail reads "field: text; field: text"."""
    said = (part.partition(": ") for part in (delivery.detail or "").split("; "))
    data = delivery.message.get("data") or {}
    return {f"data.{name}": text for name, colon, text in said if colon and name.rpartition(".")[2] in data}


def count_attempts(detail: EventDetail) -> dict[tuple[int, int], int]:
    """(call, message) -> which attempt of the message the call was."""
    tried: Counter[int] = Counter()
    attempts: dict[tuple[int, int], int] = {}
    for call in detail.calls:
        for delivery_id in call.delivery_ids:
            tried[delivery_id] += 1
            attempts[call.id, delivery_id] = tried[delivery_id]
    return attempts


@blueprint.get("/activity/<int:event_id>/json")
@requires("see")
def document(event_id: int) -> Response:
    """Send everything about an event as one JSON document, as `cratewire events show --json` prints it."""
    _, detail = load_my_event(event_id)
    text = json.dumps(as_document(detail), ensure_ascii=False, indent=2, default=str)
    return Response(text, mimetype="application/json")


@blueprint.get("/activity/<int:event_id>/inline")
@requires("see")
def inline(event_id: int) -> str:
    """Render the details of an event for its row in the feed."""
    view, detail = load_my_event(event_id)
    return render_template("event_inline.html", view=view, detail=detail, notes=describe_notes(detail))


@blueprint.get("/activity/<int:event_id>/raw")
@requires("see")
def raw(event_id: int) -> Response:
    """Send the bytes of an event's hook as a file."""
    _, detail = load_my_event(event_id)
    return abort(404) if detail.raw is None else send_bytes(detail.raw, f"event-{event_id}")
