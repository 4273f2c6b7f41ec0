"""What needs a person now, in the shops of the account."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from pipeline.attention.item import AttentionItem
from pipeline.attention.listing import find_attention_items
from pipeline.ledger.engine import reading
from receiver.api.caller import get_context, load_shops
from receiver.api.fields import Document, Moment, Query, page_of, shop_field
from receiver.api.resource import Answer, Resource, describe, view

blueprint = Resource("attention", __name__, description="What needs a person now.")


class AttentionSchema(Document):
    """One thing that needs a person."""

    cause = fields.String(required=True)
    subject = fields.String(required=True, metadata=describe("Distinguishes the items of one cause."))
    shop = fields.String(required=True, attribute="store")
    headline = fields.String(required=True)
    effect = fields.String(required=True, metadata=describe("What it means for people."))
    tried = fields.List(fields.String(), required=True, metadata=describe("What was tried."))
    to_do = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True, metadata=describe("A code."))
    since = Moment(required=True)


class AttentionQuery(Query):
    """Which items to list."""

    shop = shop_field(load_default=None)


EXAMPLE = {
    "cause": "platform_keys",
    "subject": "connection 1",
    "shop": "acme",
    "headline": "acme: Customer.io refuses our key",
    "effect": "64 messages wait. None is lost.",
    "tried": ["The key was tried again at 03:12."],
    "to_do": "Enter a new key on the shop's page.",
    "reason": "unauthorized",
    "since": "2026-11-30T03:12:00.000000Z",
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
    return {"items": [item for item in find_attention_items(context) if _is_of(item, mine)], "next_cursor": None}


def _is_of(item: AttentionItem, shops: dict[int, str]) -> bool:
    return item.store_id in shops or (item.store_id is None and item.store in shops.values())
