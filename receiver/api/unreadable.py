"""Hooks that could not be read, and so became no event: why, and their bytes."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from pipeline.events.catalogue import EVENTS
from pipeline.ledger.engine import reading
from pipeline.ledger.queries.activity_filter import ActivityFilter
from pipeline.ledger.queries.unreadable import UnreadableHook, get_unreadable_hook, list_unreadable_hooks
from receiver.api.caller import get_context, load_shops, may_see_people
from receiver.api.fields import Document, Moment, PageQuery, RowId, build_page, page_of, shop_field
from receiver.api.problems import not_found
from receiver.api.resource import Answer, Resource, count_field, describe, view

blueprint = Resource("unreadable", __name__, description="Hooks that could not be read, with their bytes.")


class UnreadableSchema(Document):
    """A hook that could not be read."""

    id = RowId(required=True)
    shop = fields.String(required=True, attribute="store")
    name = fields.String(required=True, metadata=describe("The event of its URL."))
    receipt = fields.String(required=True)
    stage = fields.String(required=True, metadata=describe("Where it failed."))
    reason = fields.String(required=True, metadata=describe("A code of docs/operations.md."))
    times = count_field("How often it was tried.")
    received_at = Moment(required=True)
    died_at = Moment(required=True)


class UnreadableDetailSchema(UnreadableSchema):
    """A hook that could not be read, with its bytes."""

    raw = fields.String(
        required=True,
        allow_none=True,
        metadata=describe("Its body, or the query of a GET. Needs the scope `read-people`; null without it."),
    )


class UnreadableQuery(PageQuery):
    """Which hooks to list."""

    shop = shop_field(load_default=None)
    name = fields.String(load_default=None, validate=validate.OneOf(sorted(EVENTS)))
    since = Moment(load_default=None, metadata=describe("Received at this time or later."))
    until = Moment(load_default=None, metadata=describe("Received at this time or before."))


EXAMPLE = {
    "id": "7",
    "shop": "acme",
    "name": "order_new",
    "receipt": "0655c1b8f2d4000a7b21c9e54d3f6a8b",
    "stage": "decode",
    "reason": "truncated",
    "times": 1,
    "received_at": "2026-11-30T03:26:08.113000Z",
    "died_at": "2026-11-30T03:26:08.140000Z",
}
UnreadablePage = page_of(UnreadableSchema, "UnreadablePage")


@view(
    blueprint,
    "/unreadable",
    "read",
    Answer(UnreadablePage, {"items": [EXAMPLE], "next_cursor": None}),
    query=UnreadableQuery,
)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List unreadable hooks

    Newest first.
    """
    before, limit = query["cursor"], query["limit"]
    span = {"since": query["since"], "until": query["until"]}
    with reading(get_context().engine) as conn:
        wanted = ActivityFilter(store_ids=tuple(load_shops(conn, query["shop"])), name=query["name"], **span)
        rows = list_unreadable_hooks(conn, wanted, before=before[0] if before else None, limit=limit + 1)
    return build_page(rows, limit, lambda row: (row.id,))


@view(blueprint, "/unreadable/<row_id:hook_id>", "read", Answer(UnreadableDetailSchema))
def show(hook_id: int) -> dict[str, Any]:
    """Show an unreadable hook"""
    with reading(get_context().engine) as conn:
        found = get_unreadable_hook(conn, hook_id)
        if found is None or found[0].store not in load_shops(conn).values():
            raise not_found()
    hook, content = found
    raw = (content.raw or (content.query or "").encode()).decode("utf-8", "backslashreplace")
    columns = {name: getattr(hook, name) for name in UnreadableHook.__slots__}
    return {**columns, "raw": raw if may_see_people() else None}
