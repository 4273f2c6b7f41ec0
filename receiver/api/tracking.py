"""Tracking that a warehouse has reported for no box that was sent: listed, attached to a box, or dismissed."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate
from sqlalchemy import Connection

from pipeline.fulfilment.requests import Requests
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.quarantine import QuarantineRow, find_quarantined, list_quarantine_page
from receiver.api.caller import get_actor, get_context, load_shops, may_see_people
from receiver.api.fields import Body, Document, Moment, PageQuery, RowId, build_page, page_of, shop_field
from receiver.api.order_documents import DETAIL_EXAMPLE, PERSONAL, OrderDetailSchema
from receiver.api.orders import load_order
from receiver.api.problems import not_found
from receiver.api.resource import Answer, Resource, describe, view

blueprint = Resource(
    "tracking", __name__, description="Tracking of no box: it is written nowhere before a person acts."
)


class TrackingSchema(Document):
    """A parcel of no box that was sent."""

    id = RowId(required=True)
    shop = fields.String(required=True)
    order_number = fields.String(required=True, metadata=describe("As the warehouse has it."))
    tracking_number = fields.String(required=True, allow_none=True, metadata=describe(PERSONAL))
    carrier = fields.String(required=True)
    method = fields.String(required=True)
    url = fields.String(required=True, allow_none=True, metadata=describe(PERSONAL))
    shipped_at = Moment(required=True, allow_none=True)
    is_complete = fields.Boolean(required=True, metadata=describe("The whole order has left."))
    found_at = Moment(required=True)
    seen_at = Moment(required=True, metadata=describe("When it was reported last."))
    reason = fields.String(
        required=True, allow_none=True, metadata=describe("A code: why a row of a returned file is ambiguous.")
    )
    outcome = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(["attached", "dismissed"]),
        metadata=describe("null: it waits."),
    )
    settled_at = Moment(required=True, allow_none=True)


class TrackingQuery(PageQuery):
    """Which tracking to list."""

    shop = shop_field(load_default=None)


class AttachBody(Body):
    """The box that it belongs to."""

    order_number = fields.String(
        required=True,
        validate=[validate.Length(1, 60), validate.Regexp(r"^[A-Za-z0-9-]+$(?!\n)")],
        metadata={"example": "SUB-90000001"},
    )


EXAMPLE = {
    "id": "5",
    "shop": "acme",
    "order_number": "SUB-90000099",
    "tracking_number": None,
    "carrier": "USPS",
    "method": "",
    "url": None,
    "shipped_at": "2026-11-30T01:00:00.000000Z",
    "is_complete": True,
    "found_at": "2026-11-30T03:30:00.000000Z",
    "seen_at": "2026-11-30T03:30:00.000000Z",
    "reason": None,
    "outcome": None,
    "settled_at": None,
}
TrackingPage = page_of(TrackingSchema, "TrackingPage")


@view(
    blueprint, "/tracking", "read", Answer(TrackingPage, {"items": [EXAMPLE], "next_cursor": None}), query=TrackingQuery
)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List tracking of no box

    What waits for a person, the oldest first.
    """
    after, limit = query["cursor"], query["limit"]
    with reading(get_context().engine) as conn:
        shops = load_shops(conn, query["shop"])
        rows = list_quarantine_page(conn, shops, after=after[0] if after else None, limit=limit + 1)
    page = build_page(rows, limit, lambda row: (row.id,))
    return {**page, "items": [_build(row, shops) for row in page["items"]]}


@view(blueprint, "/tracking/<row_id:tracking_id>", "read", Answer(TrackingSchema, EXAMPLE))
def show(tracking_id: int) -> dict[str, Any]:
    """Show tracking of no box

    Also one that was decided about.
    """
    return _load(tracking_id)


@view(
    blueprint,
    "/tracking/<row_id:tracking_id>/attach",
    "replay",
    Answer(OrderDetailSchema, {**DETAIL_EXAMPLE, "state": "shipped", "reason": None, "text": None, "cure": None}),
    method="POST",
    body=AttachBody,
    body_example={"order_number": "SUB-90000001"},
)
def attach(body: dict[str, Any], tracking_id: int) -> dict[str, Any]:
    """Attach tracking to a box

    It is written to Cratejoy, which mails the customer. The box is returned.
    """
    return load_order(_open_requests(tracking_id).attach(tracking_id, body["order_number"]).id)


@view(
    blueprint,
    "/tracking/<row_id:tracking_id>/dismiss",
    "replay",
    Answer(
        TrackingSchema,
        {**EXAMPLE, "outcome": "dismissed", "settled_at": "2026-11-30T04:00:00.000000Z"},
    ),
    method="POST",
)
def dismiss(tracking_id: int) -> dict[str, Any]:
    """Dismiss tracking of no box

    It is written nowhere.
    """
    _open_requests(tracking_id).dismiss(tracking_id)
    return _load(tracking_id)


def _load(tracking_id: int) -> dict[str, Any]:
    with reading(get_context().engine) as conn:
        shops = load_shops(conn)
        return _build(_find(conn, tracking_id, shops), shops)


def _open_requests(tracking_id: int) -> Requests:
    context = get_context()
    with reading(context.engine) as conn:
        store_id = _find(conn, tracking_id, load_shops(conn)).store_id
    return Requests(context, store_id, get_actor())


def _find(conn: Connection, tracking_id: int, shops: dict[int, str]) -> QuarantineRow:
    row = find_quarantined(conn, tracking_id)
    if row is None or row.store_id not in shops:
        raise not_found()
    return row


def _build(row: QuarantineRow, shops: dict[int, str]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in QuarantineRow.__slots__} | {"shop": shops[row.store_id]}
    return values if may_see_people() else {**values, "tracking_number": None, "url": None}
