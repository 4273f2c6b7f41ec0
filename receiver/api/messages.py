"""Messages: what was, or will be, sent to platforms about one person each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from marshmallow import fields, validate

from pipeline.ledger.engine import reading
from pipeline.ledger.queries.deliveries import list_calls
from pipeline.ledger.queries.messages import Message, MessageFilter, MessageState, find_message, list_messages
from receiver.api.caller import get_context, load_shops, may_see_people
from receiver.api.fields import Document, Moment, PageQuery, RowId, build_page, id_parameter, page_of, shop_field
from receiver.api.problems import not_found
from receiver.api.resource import Answer, Resource, describe, view

blueprint = Resource("messages", __name__, description="What platforms are sent: profiles and events of people.")
_HIDDEN = {"content": None, "detail": None, "notes": None}


class MessageSchema(Document):
    """A message to a platform. Commands call it a delivery."""

    id = RowId(required=True)
    shop = fields.String(required=True, attribute="store")
    event = RowId(required=True, allow_none=True, attribute="event_id")
    person = RowId(required=True, attribute="person_id")
    connection = RowId(required=True, attribute="connection_id")
    platform = fields.String(required=True)
    kind = fields.String(required=True, metadata=describe("profile, event or forget."))
    name = fields.String(required=True, allow_none=True, metadata=describe("The event's name; null for a profile."))
    message_id = fields.String(
        required=True, allow_none=True, metadata=describe("The id that the platform recognises a repeat by.")
    )
    state = fields.String(required=True, validate=validate.OneOf(get_args(MessageState)))
    attempts = fields.Integer(required=True)
    reason = fields.String(required=True, allow_none=True, metadata=describe("A code: why it was not sent."))
    detail = fields.String(
        required=True,
        allow_none=True,
        metadata=describe("What the platform said. Needs the scope `read-people`; null without it."),
    )
    notes = fields.List(
        fields.Raw(), required=True, allow_none=True, metadata=describe("Needs the scope `read-people`.")
    )
    created_at = Moment(required=True)
    settled_at = Moment(required=True, allow_none=True, metadata=describe("null: it waits."))
    content = fields.Dict(
        required=True,
        allow_none=True,
        metadata=describe("What is sent. Needs the scope `read-people`; null without it."),
    )


class CallSchema(Document):
    """An HTTP call to a platform."""

    id = RowId(required=True)
    connection = RowId(required=True, attribute="connection_id")
    method = fields.String(required=True)
    endpoint = fields.String(required=True)
    status = fields.Integer(required=True, allow_none=True, metadata=describe("null: there was no answer."))
    items = fields.Integer(required=True, metadata=describe("How many messages it carried."))
    error = fields.String(required=True, allow_none=True)
    started_at = Moment(required=True)
    duration_us = fields.Integer(required=True)
    messages = fields.List(RowId(), required=True, attribute="delivery_ids")


class MessageDetailSchema(MessageSchema):
    """A message with its calls."""

    calls = fields.List(fields.Nested(CallSchema), required=True)


class MessageQuery(PageQuery):
    """Which messages to list."""

    shop = shop_field(load_default=None)
    event = id_parameter("Only the messages of this event.")
    person = id_parameter("Only the messages about this person.")
    connection = id_parameter("Only the messages to this connection.")
    state = fields.String(
        load_default=None,
        validate=validate.OneOf(["waiting", "refused"]),
        metadata=describe("Those that wait are listed where neither this, nor an event, nor a person is given."),
    )


EXAMPLE = {
    "id": "91002",
    "shop": "acme",
    "event": "48213",
    "person": "512",
    "connection": "1",
    "platform": "customerio",
    "kind": "event",
    "name": "subscription_renewed",
    "message_id": "01KB9TQ3Y5R6J8W2M4N7P9S1T3",
    "state": "refused",
    "attempts": 1,
    "reason": "invalid",
    "detail": "name is too long",
    "notes": [],
    "created_at": "2026-11-30T03:26:08.160000Z",
    "settled_at": "2026-11-30T03:26:08.410000Z",
    "content": {"customer_id": "cj_7001", "email": "mila@example.com", "at": 1796009167, "data": {}},
}
MessagePage = page_of(MessageSchema, "MessagePage")


@view(
    blueprint,
    "/messages",
    "read",
    Answer(MessagePage, {"items": [EXAMPLE], "next_cursor": None}),
    query=MessageQuery,
)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List messages

    Newest first: those of an event or a person, or all that wait or were refused.
    """
    before, limit = query["cursor"], query["limit"]
    is_of_one = query["event"] is not None or query["person"] is not None
    with reading(get_context().engine) as conn:
        wanted = MessageFilter(
            store_ids=tuple(load_shops(conn, query["shop"])),
            event_id=query["event"],
            person_id=query["person"],
            connection_id=query["connection"],
            state=query["state"] or (None if is_of_one else "waiting"),
        )
        rows = list_messages(conn, wanted, before=before[0] if before else None, limit=limit + 1)
    page = build_page(rows, limit, lambda row: (row.id,))
    return {**page, "items": [hide_people(_as_dict(row)) for row in page["items"]]}


@view(blueprint, "/messages/<row_id:message_id>", "read", Answer(MessageDetailSchema))
def show(message_id: int) -> dict[str, Any]:
    """Show a message

    With every call that carried it.
    """
    with reading(get_context().engine) as conn:
        found = find_message(conn, load_shops(conn), message_id)
        if found is None:
            raise not_found()
        calls = list_calls(conn, [message_id])
    return {**hide_people(_as_dict(found)), "calls": calls}


def hide_people(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message without what names a person, unless the caller may see people."""
    return dict(message) if may_see_people() else {**message, **_HIDDEN}


def _as_dict(row: Message) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Message.__slots__}
