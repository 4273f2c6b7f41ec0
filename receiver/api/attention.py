"""What needs a person now, in the shops of the account, and the actions that mend it or set it aside."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate
from sqlalchemy import Connection

from pipeline.attention.actions import perform
from pipeline.attention.item import AttentionItem
from pipeline.attention.listing import build_known_item, load_known_items
from pipeline.attention.remedies import REMEDIES
from pipeline.attention.set_aside import MAX_DAYS, MAX_REASON_CHARS, set_aside, unset_aside
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import find_alarm
from pipeline.ledger.monitoring.rows import AlarmRow, concerns
from receiver.api.caller import get_actor, get_context, load_shops
from receiver.api.fields import HAS_TEXT, Body, Document, Moment, Query, RowId, page_of, shop_field
from receiver.api.limits import count_try
from receiver.api.problems import Problem, not_found
from receiver.api.resource import Answer, Resource, describe, view

blueprint = Resource("attention", __name__, description="What needs a person now.")


class SetAsideSchema(Document):
    """Since when, until when and why something is set aside."""

    at = Moment(required=True)
    until = Moment(required=True, allow_none=True, metadata=describe("null: until it gets worse."))
    reason = fields.String(required=True)


class AttentionSchema(Document):
    """One thing that needs a person."""

    id = RowId(required=True, attribute="alarm_id")
    cause = fields.String(required=True)
    subject = fields.String(required=True, metadata=describe("Distinguishes the items of one cause."))
    shop = fields.String(
        required=True, allow_none=True, attribute="store", metadata=describe("null: it concerns all shops.")
    )
    headline = fields.String(required=True)
    effect = fields.String(required=True, metadata=describe("What it means for people."))
    tried = fields.List(fields.String(), required=True, metadata=describe("What was tried."))
    to_do = fields.String(required=True)
    action = fields.String(required=True, allow_none=True, metadata=describe("What `act` does; null: nothing."))
    asks = fields.String(
        required=True, allow_none=True, metadata=describe("What to know before `act`, which then needs `confirm`.")
    )
    reason = fields.String(required=True, allow_none=True, metadata=describe("A code."))
    since = Moment(required=True)
    set_aside = fields.Nested(SetAsideSchema, required=True, allow_none=True)


class DoneSchema(Document):
    """What was done."""

    done = fields.String(required=True, metadata=describe("A sentence."))


class AttentionQuery(Query):
    """Which items to list."""

    shop = shop_field(load_default=None)
    state = fields.String(
        load_default="open",
        validate=validate.OneOf(["open", "set_aside"]),
        metadata=describe("Those that need a person, or those that are set aside."),
    )


class ActBody(Body):
    """An action."""

    confirm = fields.Boolean(load_default=False, metadata=describe("true where the item's `asks` is not null."))


class SetAsideBody(Body):
    """Why, and for how long."""

    reason = fields.String(
        required=True,
        validate=[validate.Length(1, MAX_REASON_CHARS), validate.Regexp(HAS_TEXT)],
        metadata=describe("Others will read it."),
    )
    days = fields.Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, MAX_DAYS),
        metadata=describe("null: until it gets worse."),
    )


EXAMPLE = {
    "id": "17",
    "cause": "platform_keys_refused",
    "subject": "connection 1",
    "shop": "acme",
    "headline": "acme: Customer.io refuses our key",
    "effect": "64 messages wait. None is lost.",
    "tried": ["The key was tried again at 03:12."],
    "to_do": "Enter a new key on the shop's page.",
    "action": "try_keys",
    "asks": None,
    "reason": "unauthorized",
    "since": "2026-11-30T03:12:00.000000Z",
    "set_aside": None,
}
AttentionPage = page_of(AttentionSchema, "AttentionPage")


@view(
    blueprint,
    "/attention",
    "read",
    Answer(AttentionPage, {"items": [EXAMPLE], "next_cursor": None}),
    query=AttentionQuery,
)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List what needs a person

    The most serious first. What only the operator of the installation can mend is not listed.
    """
    context = get_context()
    with reading(context.engine) as conn:
        mine = load_shops(conn, query["shop"])
        items = load_known_items(conn, context.now())
    is_aside = query["state"] == "set_aside"
    shown = [
        _build(item)
        for item in items
        if concerns(item.store_id, item.cause, mine) and (item.set_aside is not None) == is_aside
    ]
    return {"items": shown, "next_cursor": None}


@view(blueprint, "/attention/<row_id:item_id>", "read", Answer(AttentionSchema, EXAMPLE))
def show(item_id: int) -> dict[str, Any]:
    """Show one thing that needs a person"""
    with reading(get_context().engine) as conn:
        row = _find(conn, item_id)
    return _build(build_known_item(row, get_context().now()))


@view(
    blueprint,
    "/attention/<row_id:item_id>/act",
    "operate",
    Answer(DoneSchema, {"done": "The next message is tried at Customer.io now. If it is taken, all others follow."}),
    method="POST",
    body=ActBody,
    body_example={"confirm": False},
)
def act(body: dict[str, Any], item_id: int) -> dict[str, str]:
    """Mend it, or try again

    Does what the item's button does on the page.
    """
    context = get_context()
    with reading(context.engine) as conn:
        row = _find_own(conn, item_id)
    remedy = REMEDIES.get(row.kind)
    if row.ended_at is not None or remedy is None or remedy.action is None:
        raise Problem(409, "It is over already, or has no action.")
    if remedy.asks and not body["confirm"]:
        raise Problem(409, f"{remedy.asks} Send `confirm` as true to do it.")
    count_try(row.store_id or 0)
    return {"done": perform(context, remedy.action, row, get_actor())}


@view(
    blueprint,
    "/attention/<row_id:item_id>/set-aside",
    "operate",
    Answer(AttentionSchema, EXAMPLE),
    method="POST",
    body=SetAsideBody,
    body_example={"reason": "The new key comes on Monday.", "days": 3},
)
def put_aside(body: dict[str, Any], item_id: int) -> dict[str, Any]:
    """Set it aside

    No mail mentions it meanwhile.
    """
    context = get_context()
    with reading(context.engine) as conn:
        _find_own(conn, item_id)
    row = set_aside(context, item_id, get_actor(), reason=body["reason"], days=body["days"])
    return _build(build_known_item(row, context.now()))


@view(
    blueprint,
    "/attention/<row_id:item_id>/bring-back",
    "operate",
    Answer(AttentionSchema, EXAMPLE),
    method="POST",
)
def bring_back(item_id: int) -> dict[str, Any]:
    """Bring it back"""
    context = get_context()
    with reading(context.engine) as conn:
        _find_own(conn, item_id)
    unset_aside(context, item_id, get_actor())
    with reading(context.engine) as conn:
        row = _find(conn, item_id)
    return _build(build_known_item(row, context.now()))


def _find(conn: Connection, item_id: int) -> AlarmRow:
    row = find_alarm(conn, item_id)
    if row is None or not concerns(row.store_id, row.kind, load_shops(conn)):
        raise not_found()
    return row


def _find_own(conn: Connection, item_id: int) -> AlarmRow:
    """The item of a shop of the caller. What concerns all shops is for the people who run the installation."""
    row = _find(conn, item_id)
    if row.store_id is None:
        raise Problem(409, "It concerns the whole installation: only the people who run it can do this.")
    return row


def _build(item: AttentionItem) -> dict[str, Any]:
    remedy = REMEDIES.get(item.cause)
    more = {"action": remedy.action if remedy else None, "asks": (remedy.asks or None) if remedy else None}
    return {**{name: getattr(item, name) for name in AttentionItem.__slots__}, **more}
