"""The mapping of a connection: shown, tried over recent events, and saved."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import get_store
from pipeline.mapping.rules import ConnectionMapping, change_mapping, parse_mapping
from pipeline.mapping.save import save_mapping
from pipeline.mapping.trial import MAX_EVENTS, try_mapping
from receiver.api.caller import get_actor, get_context
from receiver.api.connections import find_mine
from receiver.api.fields import Body, Document, RowId
from receiver.api.problems import bad_values, not_found
from receiver.api.resource import Answer, Resource, count_field, describe, view

blueprint = Resource("mappings", __name__, description="What a connection gets, and under which names.")

USUAL_EVENTS = 1_000
_THERE = fields.String(allow_none=True)


def _names_field(what: str, **more: Any) -> fields.Dict:
    text = f"{what} by our name: the name there; null: not sent. Those that are not named go under our names."
    return fields.Dict(keys=fields.String(), values=_THERE, metadata=describe(text), **more)


class MappingSchema(Document):
    """A mapping. Empty: everything goes under our names."""

    events = _names_field("Events", required=True)
    attributes = _names_field("Attributes", required=True)


class MappingBody(Body):
    """Names that are changed. Our own name takes a change back."""

    events = _names_field("Events", load_default=dict)
    attributes = _names_field("Attributes", load_default=dict)


class MappingTrialBody(MappingBody):
    """A change to try."""

    last = fields.Integer(
        strict=True,
        load_default=USUAL_EVENTS,
        validate=validate.Range(1, MAX_EVENTS),
        metadata=describe("Over how many of the newest events."),
    )


class MappingTrialSchema(Document):
    """What a change would do to recent events, and to the profiles of the people they are about."""

    events = count_field("Events that were looked at.")
    unchanged = count_field("Of these, events that stay as they are.")
    changed = count_field("Of these, events that would have another name.")
    no_longer_sent = count_field("Of these, events that would not be sent.")
    newly_sent = count_field("Of these, events that would be sent.")
    people = count_field("People whom the events are about.")
    profiles_changed = count_field("Of these, people whose profile would change.")
    example_ids = fields.List(RowId(), required=True, metadata=describe("Of events that change, ten at most."))


EXAMPLE = {"events": {"order_new": "Placed Order", "checkout_failed": None}, "attributes": {"phone": None}}
TRIAL_EXAMPLE = {
    "events": 1_000,
    "unchanged": 880,
    "changed": 100,
    "no_longer_sent": 20,
    "newly_sent": 0,
    "people": 340,
    "profiles_changed": 12,
    "example_ids": ["661"],
}
_PATH = "/connections/<row_id:connection_id>/mapping"


@view(blueprint, _PATH, "read", Answer(MappingSchema, EXAMPLE))
def show(connection_id: int) -> dict[str, Any]:
    """Show the mapping of a connection"""
    return _build(parse_mapping(find_mine(connection_id).mapping))


@view(
    blueprint, f"{_PATH}/try", "read", Answer(MappingTrialSchema, TRIAL_EXAMPLE), method="POST", body=MappingTrialBody
)
def attempt(body: dict[str, Any], connection_id: int) -> dict[str, Any]:
    """Try a change of a mapping

    Counts what it would do to the newest events. Nothing is saved.
    """
    row = find_mine(connection_id)
    before = parse_mapping(row.mapping)
    after = _change(before, body)
    with reading(get_context().engine) as conn:
        store = get_store(conn, row.store_id)
        if store is None:
            raise not_found()
        counts = try_mapping(conn, store, before, after, body["last"])
    return {name: getattr(counts, name) for name in MappingTrialSchema().fields}


@view(
    blueprint, _PATH, "settings", Answer(MappingSchema, EXAMPLE), method="POST", body=MappingBody, body_example=EXAMPLE
)
def change(body: dict[str, Any], connection_id: int) -> dict[str, Any]:
    """Change the mapping of a connection

    Names that are given; the others stay. It holds for what leaves from then on.
    """
    context, row = get_context(), find_mine(connection_id)
    after = _change(parse_mapping(row.mapping), body)
    with writing(context.engine) as conn:
        save_mapping(conn, row, after, get_actor(), context.now())
    return _build(after)


def _change(before: ConnectionMapping, body: dict[str, Any]) -> ConnectionMapping:
    try:
        return change_mapping(before, body["events"], body["attributes"])
    except Misconfigured as error:
        places = dict(part.partition(": ")[::2] for part in str(error).split("; "))
        raise bad_values(places) from error


def _build(mapping: ConnectionMapping) -> dict[str, Any]:
    return {"events": dict(mapping.events), "attributes": dict(mapping.attributes)}
