"""What is known about one person and since when, and why events were sent about them, or were not."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from pipeline.events.catalogue import EVENTS
from pipeline.events.money import format_money
from pipeline.events.sentences import join_parts
from pipeline.ledger.engine import reading
from pipeline.ledger.queries.people_list import find_store_of_person
from pipeline.ledger.queries.person_events import EventsAsked
from pipeline.ledger.stores import StoreRow, get_store
from pipeline.people.causes import Verdict
from pipeline.people.timeline import PersonPage, TimelineItem, answer_why, load_person_page
from receiver.api.caller import get_context, load_shops
from receiver.api.fields import Document, Moment, Query, RowId
from receiver.api.problems import not_found
from receiver.api.resource import Answer, Resource, describe, view

blueprint = Resource("person_answers", __name__, description="A person over time. All of it needs `read-people`.")


class ValueSchema(Document):
    """A value of an attribute, and the event whose hook said so."""

    value = fields.Raw(required=True, allow_none=True, metadata=describe("Null: there was none."))
    since = Moment(required=True, allow_none=True, metadata=describe("Null: longer ago than changes are kept."))
    event = RowId(required=True, allow_none=True, attribute="event_id", metadata=describe("Null: Cratejoy's API."))


class HistorySchema(Document):
    """An attribute: its value, and what it was."""

    attribute = fields.String(required=True)
    values = fields.List(fields.Nested(ValueSchema), required=True, metadata=describe("The newest first."))


class ProfileSchema(Document):
    """What the page of a person shows beside the person."""

    headline = fields.String(required=True, metadata=describe("Who they are to the shop, in one sentence."))
    history = fields.List(fields.Nested(HistorySchema), required=True)
    hints = fields.List(fields.String(), required=True, metadata=describe("What to do at a platform."))


class VerdictSchema(Document):
    """Why an event was sent to a platform, or was not."""

    cause = fields.String(required=True, metadata=describe("A code of docs/people.md."))
    platform = fields.String(required=True, allow_none=True, metadata=describe("Null: the same for all."))
    sentence = fields.String(required=True)


class AnsweredEventSchema(Document):
    """An event of the person, and what became of it."""

    event = RowId(required=True)
    name = fields.String(required=True)
    sentence = fields.String(required=True)
    received_at = Moment(required=True)
    verdicts = fields.List(fields.Nested(VerdictSchema), required=True)


class NamingHookSchema(VerdictSchema):
    """A hook that names the person and could not be read."""

    dead_hook = RowId(required=True)


class WhySchema(Document):
    """What became of the person's events, and what names them and became no event."""

    events = fields.List(fields.Nested(AnsweredEventSchema), required=True, metadata=describe("The newest 20."))
    missing = fields.List(fields.Nested(VerdictSchema), required=True)
    unreadable = fields.List(fields.Nested(NamingHookSchema), required=True)


class WhyQuery(Query):
    """Which events are asked about."""

    event = fields.String(
        load_default=None, validate=validate.OneOf(sorted(EVENTS)), metadata=describe("Only events of this name.")
    )
    since = Moment(load_default=None, metadata=describe("Only events that were recorded since then."))


VERDICT_EXAMPLE = {
    "cause": "sent",
    "platform": "Customer.io",
    "sentence": "Sent to Customer.io at 2026-11-30 03:26:08 UTC, 0.3 s after the hook arrived.",
}
PROFILE_EXAMPLE = {
    "headline": "Mila Šimůnek · mila@example.com · subscriber since 30 January · also gave 1 gift",
    "history": [
        {
            "attribute": "city",
            "values": [{"value": "Boston", "since": "2026-11-30T03:26:07.000000Z", "event": "8"}],
        }
    ],
    "hints": [],
}
WHY_EXAMPLE = {
    "events": [
        {
            "event": "8",
            "name": "order_new",
            "sentence": "Mila Šimůnek placed order 7118, USD 48.00",
            "received_at": "2026-11-30T03:26:07.000000Z",
            "verdicts": [VERDICT_EXAMPLE],
        }
    ],
    "missing": [],
    "unreadable": [],
}


@view(blueprint, "/people/<row_id:person_id>/profile", "read-people", Answer(ProfileSchema, PROFILE_EXAMPLE))
def profile(person_id: int) -> dict[str, Any]:
    """Show a person's attributes with their earlier values

    The events lead to the hooks that said so.
    """
    _, page = _load(person_id)
    histories = [{"attribute": history.name, "values": [history.now, *history.earlier]} for history in page.histories]
    return {"headline": " · ".join(page.headline), "history": histories, "hints": page.hints}


@view(
    blueprint,
    "/people/<row_id:person_id>/why",
    "read-people",
    Answer(WhySchema, WHY_EXAMPLE),
    query=WhyQuery,
)
def why(query: dict[str, Any], person_id: int) -> dict[str, Any]:
    """Say why events were sent about a person, or were not

    For the newest events, or those of one name or since a time.
    """
    store, _ = _load(person_id)
    context, asked = get_context(), EventsAsked(query["event"], query["since"])
    with reading(context.engine) as conn:
        found = answer_why(conn, store, person_id, asked, format_money, context.now())
    return {
        "events": [_describe(item) for item in (*found.events, *found.unlinked)],
        "missing": found.missing,
        "unreadable": [
            {"dead_hook": hook.dead_hook_id, **_describe_verdict(hook.verdict)} for hook in found.unreadable
        ],
    }


def _load(person_id: int) -> tuple[StoreRow, PersonPage]:
    context = get_context()
    with reading(context.engine) as conn:
        store_id = find_store_of_person(conn, load_shops(conn), person_id)
        store = None if store_id is None else get_store(conn, store_id)
        page = None if store is None else load_person_page(conn, store, person_id, context.now())
    if store is None or page is None:
        raise not_found()
    return store, page


def _describe(item: TimelineItem) -> dict[str, Any]:
    event = item.event
    if event is None:
        return {}
    return {
        "event": event.id,
        "name": event.name,
        "sentence": join_parts(event.sentence),
        "received_at": event.received_at,
        "verdicts": item.verdicts,
    }


def _describe_verdict(verdict: Verdict) -> dict[str, Any]:
    return {"cause": verdict.cause, "platform": verdict.platform, "sentence": verdict.sentence}
