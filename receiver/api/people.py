"""People: lists, one person, a search that puts no address into a URL, and the rights of people."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import PersonDetail, choose_name, get_person
from pipeline.ledger.queries.people_list import PeopleCursor, PersonSummary, find_store_of_person, list_people
from pipeline.ledger.stores import StoreRow, get_store
from pipeline.operations.erase_person import erase_person
from pipeline.regulations.erase import ErasureRequest
from pipeline.regulations.export import export_person
from pipeline.regulations.people import find_person, load_person
from receiver.api.caller import find_shop, get_actor, get_context, load_shops, record
from receiver.api.fields import (
    NAME_PATTERN,
    Body,
    Cursor,
    Document,
    Moment,
    PageQuery,
    RowId,
    build_page,
    page_of,
    shop_field,
)
from receiver.api.problems import Problem, not_found
from receiver.api.resource import Answer, Resource, describe, view

blueprint = Resource("people", __name__, description="Customers and gift recipients. All of it needs `read-people`.")


class PersonSchema(Document):
    """A person of a shop."""

    id = RowId(required=True)
    shop = fields.String(required=True, attribute="store")
    name = fields.String(required=True, allow_none=True)
    customer_id = RowId(required=True, allow_none=True, metadata=describe("Cratejoy's; null for who only got gifts."))
    email = fields.String(required=True, allow_none=True)
    attributes = fields.Dict(required=True, metadata=describe("As platforms have them."))
    withheld = fields.String(required=True, allow_none=True, metadata=describe("Why nothing is sent about them."))
    known_at = Moment(required=True, metadata=describe("The time of the newest fact."))
    created_at = Moment(required=True)


class KeySchema(Document):
    """What finds a person."""

    kind = fields.String(required=True)
    value = fields.String(required=True)


class PersonDetailSchema(PersonSchema):
    """A person with all that finds them."""

    keys = fields.List(fields.Nested(KeySchema), required=True)


class PeopleQuery(PageQuery):
    """Which people to list."""

    shop = shop_field(load_default=None)
    withheld = fields.Boolean(load_default=False, metadata=describe("Only those about whom nothing is sent."))
    cursor = Cursor(parts=2, load_default=None)


class SearchBody(Body):
    """Whom to find. The address is in the body, since URLs are kept in logs and histories."""

    shop = fields.String(required=True, metadata={"pattern": NAME_PATTERN})
    wanted = fields.String(
        required=True,
        validate=validate.Length(1, 320),
        metadata=describe("An e-mail address, a customer id or a person id; `customer:7` and `person:7` say which."),
    )


class ErasureBody(Body):
    """An erasure. It cannot be undone."""

    confirm = RowId(required=True, metadata=describe("The person's id once more."))
    suppress = fields.Boolean(
        load_default=True, metadata=describe("Whether later hooks about the person are recognised and not stored.")
    )
    at_destinations = fields.Boolean(
        load_default=True, metadata=describe("Whether platforms are asked to forget the person.")
    )


class ErasureSchema(Document):
    """What an erasure did."""

    regulation = RowId(required=True, attribute="regulation_id")
    person = RowId(required=True, attribute="person_id", allow_none=True)
    emptied = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


EXAMPLE = {
    "id": "512",
    "shop": "acme",
    "name": "Mila Šimůnek",
    "customer_id": "7001",
    "email": "mila@example.com",
    "attributes": {"first_name": "Mila", "last_name": "Šimůnek", "subscriptions_active": 1},
    "withheld": None,
    "known_at": "2026-11-30T03:26:07.000000Z",
    "created_at": "2026-01-30T09:14:02.431000Z",
}
DETAIL_EXAMPLE = {**EXAMPLE, "keys": [{"kind": "customer", "value": "7001"}]}
PersonPage = page_of(PersonSchema, "PersonPage")


@view(
    blueprint,
    "/people",
    "read-people",
    Answer(PersonPage, {"items": [EXAMPLE], "next_cursor": None}),
    query=PeopleQuery,
)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List people

    Newest changes first.
    """
    cursor, limit = query["cursor"], query["limit"]
    with reading(get_context().engine) as conn:
        shops = load_shops(conn, query["shop"])
        after = PeopleCursor(*cursor) if cursor else None
        rows = list_people(conn, shops, only_withheld=query["withheld"], after=after, limit=limit + 1)
    page = build_page(rows, limit, lambda row: (row.known_at, row.id))
    return {**page, "items": [_build(row) for row in page["items"]]}


@view(
    blueprint,
    "/people/search",
    "read-people",
    Answer(PersonDetailSchema, DETAIL_EXAMPLE),
    method="POST",
    body=SearchBody,
    body_example={"shop": "acme", "wanted": "mila@example.com"},
)
def search(body: dict[str, Any]) -> dict[str, Any]:
    """Find a person

    By address or id. Changes nothing.
    """
    with reading(get_context().engine) as conn:
        store = _get_row(conn, find_shop(conn, body["shop"]))
        try:
            found = find_person(conn, store, body["wanted"])
        except Misconfigured:
            raise not_found() from None
        if found.person_id is None:
            raise not_found()
        return _load(conn, store.id, found.person_id)


@view(blueprint, "/people/<row_id:person_id>", "read-people", Answer(PersonDetailSchema, DETAIL_EXAMPLE))
def show(person_id: int) -> dict[str, Any]:
    """Show a person"""
    with reading(get_context().engine) as conn:
        return _load(conn, _find_store(conn, person_id), person_id)


@view(blueprint, "/people/<row_id:person_id>/export", "rights", Answer(None, description="The export, as JSON."))
def export(person_id: int) -> dict[str, Any]:
    """Export a person

    Everything that is stored about them, as the page and the command do.
    """
    context = get_context()
    with reading(context.engine) as conn:
        store = _get_row(conn, _find_store(conn, person_id))
        document = export_person(conn, load_person(conn, store, person_id), context.now(), context.settings.secret_keys)
    with writing(context.engine) as conn:
        record(conn, "person.exported", store.id, person=person_id)
    return document


@view(
    blueprint,
    "/people/<row_id:person_id>/erase",
    "rights",
    Answer(ErasureSchema, {"regulation": "4", "person": "512", "emptied": {"events": 12, "facts": 3}}),
    method="POST",
    body=ErasureBody,
    body_example={"confirm": "512", "suppress": True, "at_destinations": True},
)
def erase(body: dict[str, Any], person_id: int) -> Any:
    """Erase a person

    Empties everything that names them. It cannot be undone.
    """
    context = get_context()
    with reading(context.engine) as conn:
        store = _get_row(conn, _find_store(conn, person_id))
    if body["confirm"] != person_id:
        raise Problem(409, "`confirm` is not the id of the person: nothing was erased.")
    options = {name: body[name] for name in ("suppress", "at_destinations")}
    request = ErasureRequest(store, f"person:{person_id}", **options, actor=get_actor())
    return erase_person(context, request)


def _find_store(conn: Connection, person_id: int) -> int:
    store_id = find_store_of_person(conn, load_shops(conn), person_id)
    if store_id is None:
        raise not_found()
    return store_id


def _get_row(conn: Connection, store_id: int) -> StoreRow:
    store = get_store(conn, store_id)
    if store is None:
        raise not_found()
    return store


def _load(conn: Connection, store_id: int, person_id: int) -> dict[str, Any]:
    detail = get_person(conn, store_id, person_id)
    if detail is None:
        raise not_found()
    return {**_build(detail), "keys": [{"kind": kind, "value": value} for kind, value in detail.keys]}


def _build(row: PersonSummary | PersonDetail) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in PersonSummary.__slots__},
        "name": choose_name(row.attributes, row.email),
    }
