"""Events: a page of them with filters, and everything about one."""

from __future__ import annotations

from typing import Any, get_args

from marshmallow import fields, validate

from pipeline.core.hooks import EventOutcome
from pipeline.events.catalogue import EVENTS
from pipeline.events.money import format_money
from pipeline.events.notes import describe_note
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import (
    Activity,
    ActivityFilter,
    EventDetail,
    Show,
    get_event,
    list_activity,
    load_activities,
)
from pipeline.ledger.queries.messages import STATE_OF
from receiver.api.caller import get_context, load_shops, may_see_people
from receiver.api.fields import (
    Document,
    Moment,
    PageQuery,
    RowId,
    build_page,
    id_parameter,
    page_of,
    shop_field,
)
from receiver.api.messages import CallSchema, MessageSchema, hide_people
from receiver.api.problems import not_found
from receiver.api.resource import Answer, Resource, describe, view

blueprint = Resource("events", __name__, description="What happened in the shops, and what became of it.")
SHOWN = [show for show in get_args(Show) if show != "unreadable"]  # these are no events: see `unreadable`
STATES = ("sent", "waiting", "refused", "withheld", "stopped")
PERSONAL = "Needs the scope `read-people`; null without it."


class PlatformStateSchema(Document):
    """What became of an event at one connection."""

    platform = fields.String(required=True)
    label = fields.String(required=True)
    title = fields.String(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    since = Moment(required=True)
    reason = fields.String(required=True, allow_none=True, metadata=describe("Why it was refused."))


class EventSchema(Document):
    """An event."""

    id = RowId(required=True)
    ulid = fields.String(required=True)
    receipt = fields.String(required=True, metadata=describe("What Cratejoy got for the hook."))
    shop = fields.String(required=True, attribute="store")
    name = fields.String(required=True, metadata={"example": "order_new"})
    source = fields.String(required=True, metadata=describe("How it reached us: hook, replay or reconcile."))
    outcome = fields.String(required=True, validate=validate.OneOf(get_args(EventOutcome)))
    withheld = fields.String(required=True, allow_none=True, metadata=describe("Why nothing is sent about a person."))
    is_test = fields.Boolean(required=True)
    sentence = fields.String(required=True, allow_none=True, metadata=describe(f"What happened. {PERSONAL}"))
    occurred_at = Moment(required=True)
    received_at = Moment(required=True)
    recorded_at = Moment(required=True)
    platforms = fields.List(fields.Nested(PlatformStateSchema), required=True)


class EventPersonSchema(Document):
    """A person whom an event concerns."""

    id = RowId(required=True, attribute="person_id")
    role = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True, metadata=describe("Why they get no message."))
    customer_id = RowId(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True, metadata=describe(PERSONAL))


class EventDetailSchema(EventSchema):
    """Everything about an event."""

    subject = fields.String(required=True, allow_none=True, metadata=describe("What it is about, such as order."))
    subject_id = RowId(required=True, allow_none=True)
    form = fields.String(required=True, metadata=describe("The form of its body."))
    duplicates = fields.Integer(required=True, metadata=describe("Repeats of the hook that were dropped."))
    decoded_at = Moment(required=True)
    validated_at = Moment(required=True)
    notes = fields.List(fields.String(), required=True, metadata=describe("Remarks, in words."))
    people = fields.List(fields.Nested(EventPersonSchema), required=True)
    data = fields.Dict(required=True, allow_none=True, metadata=describe(f"The decoded body. {PERSONAL}"))
    raw = fields.String(required=True, allow_none=True, metadata=describe(f"The body as it came. {PERSONAL}"))
    messages = fields.List(fields.Nested(MessageSchema), required=True)
    calls = fields.List(fields.Nested(CallSchema), required=True)


class EventQuery(PageQuery):
    """Which events to list."""

    shop = shop_field(load_default=None)
    name = fields.String(load_default=None, validate=validate.OneOf(sorted(EVENTS)))
    show = fields.String(
        load_default=None,
        validate=validate.OneOf(SHOWN),
        metadata=describe("What became of them; those recovered from the API; tests; those whose hooks were repeated."),
    )
    person = id_parameter("Only events that concern this person.")
    since = Moment(load_default=None, metadata=describe("Recorded at this time or later."))
    until = Moment(load_default=None, metadata=describe("Recorded at this time or before."))


EXAMPLE = {
    "id": "48213",
    "ulid": "01KB9TQ3Y5R6J8W2M4N7P9S1T3",
    "receipt": "0655c1b8f2d4000a7b21c9e54d3f6a8b",
    "shop": "acme",
    "name": "subscription_renewed",
    "source": "hook",
    "outcome": "sent",
    "withheld": None,
    "is_test": False,
    "sentence": "Mila Šimůnek renewed Tea & Toast Box",
    "occurred_at": "2026-11-30T03:26:07.000000Z",
    "received_at": "2026-11-30T03:26:08.113000Z",
    "recorded_at": "2026-11-30T03:26:08.160000Z",
    "platforms": [
        {
            "platform": "customerio",
            "label": "",
            "title": None,
            "state": "sent",
            "since": "2026-11-30T03:26:08.410000Z",
            "reason": None,
        }
    ],
}
EventPage = page_of(EventSchema, "EventPage")


@view(blueprint, "/events", "read", Answer(EventPage, {"items": [EXAMPLE], "next_cursor": "115x"}), query=EventQuery)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List events

    Newest first, with what became of each.
    """
    before, limit = query["cursor"], query["limit"]
    with reading(get_context().engine) as conn:
        wanted = ActivityFilter(
            store_ids=tuple(load_shops(conn, query["shop"])),
            show=query["show"],
            name=query["name"],
            person_id=query["person"],
            since=query["since"],
            until=query["until"],
        )
        rows = list_activity(conn, wanted, format_money, before=before[0] if before else None, limit=limit + 1)
    page = build_page(rows, limit, lambda row: (row.id,))
    return {**page, "items": [_build_event(row) for row in page["items"]]}


@view(blueprint, "/events/<string:reference>", "read", Answer(EventDetailSchema))
def show(reference: str) -> dict[str, Any]:
    """Show an event

    By its id, its ULID or its receipt: with its people, its messages and their calls, and its body.
    """
    wanted = int(reference) if reference.isascii() and reference.isdecimal() and len(reference) <= 18 else reference  # noqa: PLR2004
    with reading(get_context().engine) as conn:
        detail = get_event(conn, wanted)
        if detail is None or detail.event.store not in load_shops(conn).values():
            raise not_found()
        [activity] = load_activities(conn, [detail.event.id], format_money)
    return {**_build_event(activity), **_build_detail(detail)}


def _build_event(row: Activity) -> dict[str, Any]:
    names = [name for name in Activity.__slots__ if name != "sentence"]
    sentence = "".join(part.text for part in row.sentence) if may_see_people() else None
    return {**{name: getattr(row, name) for name in names}, "sentence": sentence}


def _build_detail(detail: EventDetail) -> dict[str, Any]:
    is_shown = may_see_people()
    messages = [
        {
            **{name: getattr(row, name) for name in row.__slots__ if name not in ("message", "status")},
            "store": detail.event.store,
            "state": STATE_OF[row.status],
            "settled_at": row.done_at,
            "content": row.message,
        }
        for row in detail.deliveries
    ]
    people = [{name: getattr(row, name) for name in row.__slots__} for row in detail.people]
    return {
        "subject": detail.event.subject,
        "subject_id": detail.event.subject_id,
        "form": detail.form,
        "duplicates": detail.event.duplicates,
        "decoded_at": detail.decoded_at,
        "validated_at": detail.validated_at,
        "notes": [describe_note(note) for note in detail.notes] if is_shown else [],
        "people": [person if is_shown else {**person, "email": None} for person in people],
        "data": detail.data if is_shown else None,
        "raw": detail.raw.decode("utf-8", "backslashreplace") if is_shown and detail.raw is not None else None,
        "messages": [hide_people(row) for row in messages],
        "calls": detail.calls,
    }
