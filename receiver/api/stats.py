"""The figures of shops, by the names that the pages and the command line give them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from pipeline.ledger.engine import reading
from pipeline.ledger.queries.figures import load_figures
from receiver.api.caller import get_context, load_shops
from receiver.api.fields import Document, Query, page_of, shop_field
from receiver.api.resource import Answer, Resource, describe, view

blueprint = Resource("stats", __name__, description="Figures.")


class StatsSchema(Document):
    """The figures of a shop."""

    shop = fields.String(required=True)
    figures = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata=describe("Name -> figure; `docs/api.md` lists the names."),
    )


class StatsQuery(Query):
    """Which shops."""

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
        shops = list(load_shops(conn, query["shop"]).values())
        found = load_figures(conn, shops, context.now())
    return {"items": [{"shop": shop, "figures": found[shop]} for shop in shops], "next_cursor": None}
