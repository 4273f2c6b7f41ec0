"""The figures of shops, by the names that the pages and the command line give them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from pipeline.ledger.engine import reading
from pipeline.operations.figures import load_figures
from receiver.api.caller import get_context, load_shops
from receiver.api.fields import Document, Figure, PageQuery, build_page, page_of, shop_field
from receiver.api.resource import Answer, Resource, describe, view

blueprint = Resource("stats", __name__, description="Figures.")


class StatsSchema(Document):
    """The figures of a shop."""

    shop = fields.String(required=True)
    figures = fields.Dict(
        keys=fields.String(),
        values=Figure(),
        required=True,
        metadata=describe("Name -> figure; `docs/api.md` lists the names."),
    )


class StatsQuery(PageQuery):
    """Which shops."""

    limit = fields.Integer(load_default=10, validate=validate.Range(1, 20), metadata=describe("How many to return."))
    shop = shop_field(load_default=None)


EXAMPLE = {"shop": "acme", "figures": {"events.total": 635, "messages.sent": 661, "messages.waiting": 0}}
StatsPage = page_of(StatsSchema, "StatsPage")


@view(blueprint, "/stats", "read", Answer(StatsPage, {"items": [EXAMPLE], "next_cursor": None}), query=StatsQuery)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """Show the figures

    Of each shop: all the numbers that the pages show, under the names in their `data-figure`.
    """
    context = get_context()
    with reading(context.engine) as conn:
        mine = load_shops(conn, query["shop"])
        first = (query["cursor"] or (0,))[0]
        ids = sorted(shop_id for shop_id in mine if shop_id > first)[: query["limit"] + 1]
        page = build_page(ids, query["limit"], lambda shop_id: (shop_id,))
        found = load_figures(conn, {shop_id: mine[shop_id] for shop_id in page["items"]}, context.now())
    return {**page, "items": [{"shop": shop, "figures": figures} for shop, figures in found.items()]}
