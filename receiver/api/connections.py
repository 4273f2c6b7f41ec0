"""Connections of shops to platforms: how they stand, and pausing and resuming them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from pipeline.ledger.connections import ConnectionRow, find_connection
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import ConnectionCounts, count_by_connection
from pipeline.operations.pause import pause, resume_with_saved_keys
from receiver.api.caller import get_actor, get_context, load_shops
from receiver.api.fields import Document, Moment, Query, RowId, page_of, shop_field
from receiver.api.limits import count_try
from receiver.api.problems import not_found
from receiver.api.resource import Answer, Resource, count_field, describe, view

blueprint = Resource("connections", __name__, description="The platforms that shops are connected to.")


class ConnectionSchema(Document):
    """A shop's account at a platform."""

    id = RowId(required=True, attribute="connection_id")
    shop = fields.String(required=True, attribute="store")
    platform = fields.String(required=True)
    label = fields.String(required=True)
    title = fields.String(required=True, allow_none=True)
    status = fields.String(required=True, metadata=describe("active or paused."))
    status_reason = fields.String(required=True, allow_none=True, metadata=describe("Why it is paused."))
    waiting = count_field("Messages that wait.")
    sent = count_field("Messages sent so far.")
    refused = count_field("Messages that the platform refused.")
    oldest_waiting_at = Moment(required=True, allow_none=True, attribute="oldest_pending_at")
    next_attempt_at = Moment(required=True, allow_none=True)
    waiting_reason = fields.String(required=True, allow_none=True, metadata=describe("What the messages wait for."))


class ConnectionQuery(Query):
    """Which connections to list."""

    shop = shop_field(load_default=None)


EXAMPLE = {
    "id": "1",
    "shop": "acme",
    "platform": "customerio",
    "label": "",
    "title": None,
    "status": "active",
    "status_reason": None,
    "waiting": 0,
    "sent": 661,
    "refused": 0,
    "oldest_waiting_at": None,
    "next_attempt_at": None,
    "waiting_reason": None,
}
ConnectionPage = page_of(ConnectionSchema, "ConnectionPage")


@view(
    blueprint,
    "/connections",
    "read",
    Answer(ConnectionPage, {"items": [EXAMPLE], "next_cursor": None}),
    query=ConnectionQuery,
)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List connections

    All of them: there are few.
    """
    return {"items": _load(query["shop"]), "next_cursor": None}


@view(blueprint, "/connections/<row_id:connection_id>", "read", Answer(ConnectionSchema, EXAMPLE))
def show(connection_id: int) -> dict[str, Any]:
    """Show a connection"""
    return _get(connection_id)


@view(
    blueprint,
    "/connections/<row_id:connection_id>/pause",
    "operate",
    Answer(ConnectionSchema, {**EXAMPLE, "status": "paused", "status_reason": "paused by hand"}),
    method="POST",
)
def stop(connection_id: int) -> dict[str, Any]:
    """Pause a connection

    Nothing more is sent until it is resumed. Hooks are recorded as usual, and messages wait.
    """
    context = get_context()
    pause(context.engine, find_mine(connection_id), get_actor(), context.now())
    return _get(connection_id)


@view(
    blueprint,
    "/connections/<row_id:connection_id>/resume",
    "operate",
    Answer(ConnectionSchema, EXAMPLE),
    method="POST",
)
def resume(connection_id: int) -> dict[str, Any]:
    """Resume a connection

    Checks the saved keys at the platform first. If it refuses them, the connection stays paused, and the answer is 409.
    """
    context = get_context()
    connection = find_mine(connection_id)
    if connection.status != "active":
        count_try(connection.store_id)
        keys = context.settings.secret_keys
        resume_with_saved_keys(context.engine, keys, connection, context.http, context.now(), get_actor())
    return _get(connection_id)


def find_mine(connection_id: int) -> ConnectionRow:
    """Return a connection of the caller's account. Raise not_found."""
    with reading(get_context().engine) as conn:
        found = find_connection(conn, connection_id)
        if found is None or found.store_id not in load_shops(conn):
            raise not_found()
    return found


def _get(connection_id: int) -> dict[str, Any]:
    found = next((row for row in _load(None) if row["connection_id"] == connection_id), None)
    if found is None:
        raise not_found()
    return found


def _load(shop: str | None) -> list[dict[str, Any]]:
    context = get_context()
    with reading(context.engine) as conn:
        return [_build(row) for row in count_by_connection(conn, context.now(), load_shops(conn, shop))]


def _build(row: ConnectionCounts) -> dict[str, Any]:
    counts = {"waiting": row.pending + row.sending, "refused": row.dead}
    return {**{name: getattr(row, name) for name in ConnectionCounts.__slots__}, **counts}
