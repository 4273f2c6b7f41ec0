"""The flow: of all hooks received in a span of time, how many are where."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from pipeline.ledger.engine import reading
from pipeline.ledger.queries.flow import Step, list_numbers, load_flow
from receiver.api.caller import get_context, load_shops
from receiver.api.fields import Document, Moment, Query, shop_field
from receiver.api.resource import Answer, Resource, count_field, describe, view

blueprint = Resource("flow", __name__, description="Where the hooks of a span of time are.")

DAY_US = 86_400_000_000
MAX_HOURS_DAYS = 31  # days that are shown by the hour at most
COUNTS = ("received", "repeats", "unreadable", "kept", "withheld", "waiting", "sent", "refused", "recovered")


class FlowCountsSchema(Document):
    """How many hooks are where. `received` is the sum of the seven that follow it."""

    received = count_field("All that came in.")
    repeats = count_field("Repeats that were dropped.")
    unreadable = count_field("Could not be read.")
    kept = count_field("Kept, not sent.")
    withheld = count_field("Withheld.")
    waiting = count_field("Wait.")
    sent = count_field("At the platform.")
    refused = count_field("The platform refused them.")
    recovered = count_field("Of those received, the events that only the shop's API has shown.")


class FlowPartSchema(Document):
    """An hour, or a day in UTC."""

    since = Moment(required=True)
    until = Moment(required=True)
    counts = fields.Nested(FlowCountsSchema, required=True)


class FlowSchema(Document):
    """The flow of a span of time."""

    since = Moment(required=True)
    until = Moment(required=True, metadata=describe("Not included."))
    step = fields.String(required=True, validate=validate.OneOf(["hour", "day"]))
    total = fields.Nested(FlowCountsSchema, required=True)
    parts = fields.List(
        fields.Nested(FlowPartSchema), required=True, metadata=describe("Those in which something was received.")
    )


class FlowQuery(Query):
    """Of which span of time. It is widened to whole hours, or whole days where counts by the hour are not kept."""

    shop = shop_field(load_default=None)
    since = Moment(load_default=None, metadata=describe("A day before `until` unless given."))
    until = Moment(load_default=None, metadata=describe("Now unless given."))
    step = fields.String(
        load_default="hour",
        validate=validate.OneOf(["hour", "day"]),
        metadata=describe(f"A span longer than {MAX_HOURS_DAYS} days is shown by the day."),
    )


_COUNTS = {**dict.fromkeys(COUNTS, 0), "received": 120, "repeats": 8, "sent": 112}
EXAMPLE = {
    "since": "2026-11-29T04:00:00.000000Z",
    "until": "2026-11-30T04:00:00.000000Z",
    "step": "hour",
    "total": _COUNTS,
    "parts": [{"since": "2026-11-30T03:00:00.000000Z", "until": "2026-11-30T04:00:00.000000Z", "counts": _COUNTS}],
}


@view(blueprint, "/flow", "read", Answer(FlowSchema, EXAMPLE), query=FlowQuery)
def show(query: dict[str, Any]) -> dict[str, Any]:
    """Show the flow

    received = repeats + unreadable + kept + withheld + waiting + sent + refused, exactly.
    """
    context = get_context()
    now = context.now()
    until = now if query["until"] is None else max(0, min(query["until"], now))
    since = max(0, until - DAY_US if query["since"] is None else query["since"])
    step: Step = "day" if until - since > MAX_HOURS_DAYS * DAY_US else query["step"]
    with reading(context.engine) as conn:
        flow = load_flow(conn, list(load_shops(conn, query["shop"])), since, until, step)
    parts = [{"since": part.since, "until": part.until, "counts": list_numbers(part.counts)} for part in flow.parts]
    return {
        "since": flow.since,
        "until": flow.until,
        "step": flow.step,
        "total": list_numbers(flow.total),
        "parts": parts,
    }
