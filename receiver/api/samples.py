"""Samples: events that were saved under a name, with personal details replaced."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate
from sqlalchemy import Connection

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import get_event
from pipeline.ledger.samples import MAX_NAME_CHARS, SampleRow, delete_sample, get_sample, list_samples, save_sample
from receiver.api.caller import get_actor, get_context, load_shops
from receiver.api.fields import HAS_TEXT, Body, Document, Moment, Query, RowId, page_of, shop_field
from receiver.api.problems import not_found
from receiver.api.resource import Answer, Resource, describe, view

blueprint = Resource("samples", __name__, description="Events saved under a name, with personal details replaced.")


class SampleSchema(Document):
    """A sample."""

    id = RowId(required=True)
    shop = fields.String(required=True, attribute="store")
    name = fields.String(required=True)
    event = fields.String(required=True, metadata=describe("The event's name."))
    created_at = Moment(required=True)


class SampleDetailSchema(SampleSchema):
    """A sample with its data."""

    data = fields.Dict(required=True, metadata=describe("The decoded body, with personal details replaced."))


class SampleQuery(Query):
    """Which samples to list."""

    shop = shop_field(load_default=None)


class SampleBody(Body):
    """What to save."""

    event = RowId(required=True, metadata=describe("The id of an event."))
    name = fields.String(
        required=True,
        validate=[validate.Length(1, MAX_NAME_CHARS), validate.Regexp(HAS_TEXT)],
        metadata=describe("A sample of the same name is replaced."),
    )


EXAMPLE = {
    "id": "2",
    "shop": "acme",
    "name": "renewal with a gift",
    "event": "subscription_renewed",
    "created_at": "2026-11-30T04:10:00.000000Z",
}
DETAIL_EXAMPLE = {**EXAMPLE, "data": {"id": 7021, "type": "subscription"}}
SamplePage = page_of(SampleSchema, "SamplePage")


@view(blueprint, "/samples", "read", Answer(SamplePage, {"items": [EXAMPLE], "next_cursor": None}), query=SampleQuery)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List samples

    Newest first, at most 200.
    """
    with reading(get_context().engine) as conn:
        return {"items": list_samples(conn, list(load_shops(conn, query["shop"]))), "next_cursor": None}


@view(
    blueprint,
    "/samples",
    "replay",
    Answer(SampleDetailSchema, DETAIL_EXAMPLE, status=201),
    method="POST",
    body=SampleBody,
    body_example={"event": "48213", "name": "renewal with a gift"},
)
def create(body: dict[str, Any]) -> SampleRow:
    """Save an event as a sample"""
    context = get_context()
    with writing(context.engine) as conn:
        shops = load_shops(conn)
        event = get_event(conn, body["event"])
        store_id = next((shop_id for shop_id, name in shops.items() if event and name == event.event.store), None)
        if event is None or store_id is None:
            raise not_found()
        sample_id = save_sample(conn, event.event.id, body["name"], get_actor(), context.now())
        return _find(conn, sample_id)


@view(blueprint, "/samples/<row_id:sample_id>", "read", Answer(SampleDetailSchema, DETAIL_EXAMPLE))
def show(sample_id: int) -> SampleRow:
    """Show a sample"""
    with reading(get_context().engine) as conn:
        return _find(conn, sample_id)


@view(blueprint, "/samples/<row_id:sample_id>/delete", "replay", Answer(SampleSchema, EXAMPLE), method="POST")
def delete(sample_id: int) -> SampleRow:
    """Delete a sample"""
    with writing(get_context().engine) as conn:
        row = _find(conn, sample_id)
        delete_sample(conn, sample_id, get_actor(), get_context().now())
    return row


def _find(conn: Connection, sample_id: int) -> SampleRow:
    row = get_sample(conn, sample_id)
    if row is None or row.store not in load_shops(conn).values():
        raise not_found()
    return row
