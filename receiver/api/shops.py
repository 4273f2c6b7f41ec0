"""The shops of the account."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from pipeline.ledger.engine import reading
from pipeline.ledger.queries.shops import ShopSummary, get_shop, list_shops
from receiver.api.caller import get_caller, get_context
from receiver.api.fields import Document, Moment, PageQuery, build_page, page_of
from receiver.api.problems import not_found
from receiver.api.resource import Answer, Resource, describe, view

blueprint = Resource("shops", __name__, description="The shops of the account, and what is set for each.")


class ShopSchema(Document):
    """A shop. Commands call it a store."""

    name = fields.String(required=True, metadata=describe("It never changes."))
    title = fields.String(required=True, allow_none=True, metadata=describe("What people see instead; it may change."))
    currency = fields.String(required=True)
    forward_also = fields.List(
        fields.String(), required=True, metadata=describe("Events forwarded beyond those that always are.")
    )
    forward_tests = fields.Boolean(required=True, metadata=describe("Whether test orders are forwarded."))
    marketplace_policy = fields.String(required=True, metadata=describe("What is done with Marketplace customers."))
    gift_recipients = fields.String(required=True, metadata=describe("What is done with gift recipients."))
    cratejoy_keys = fields.String(
        required=True, allow_none=True, metadata=describe("active, refused, or null: none are saved.")
    )
    registers_hooks = fields.Boolean(required=True)
    hooks_audited_at = Moment(required=True, allow_none=True)
    is_being_removed = fields.Boolean(required=True)
    created_at = Moment(required=True)


EXAMPLE = {
    "name": "acme",
    "title": "Acme Boxes",
    "currency": "USD",
    "forward_also": [],
    "forward_tests": False,
    "marketplace_policy": "withhold",
    "gift_recipients": "send",
    "cratejoy_keys": "active",
    "registers_hooks": True,
    "hooks_audited_at": "2026-11-30T03:00:00.000000Z",
    "is_being_removed": False,
    "created_at": "2026-01-30T09:12:44.120000Z",
}
ShopPage = page_of(ShopSchema, "ShopPage")


@view(blueprint, "/shops", "read", Answer(ShopPage, {"items": [EXAMPLE], "next_cursor": None}), query=PageQuery)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List shops

    Oldest first.
    """
    after, limit = (query["cursor"] or (0,))[0], query["limit"]
    with reading(get_context().engine) as conn:
        rows = list_shops(conn, get_caller().account_id, after=after, limit=limit + 1)
    return build_page(rows, limit, lambda row: (row.id,))


@view(blueprint, "/shops/<name:shop>", "read", Answer(ShopSchema, EXAMPLE))
def show(shop: str) -> ShopSummary:
    """Show a shop"""
    with reading(get_context().engine) as conn:
        found = get_shop(conn, get_caller().account_id, shop)
    if found is None:
        raise not_found()
    return found
