"""The flow: of all hooks received in a span of time, how many are where. Each number opens its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from flask import Blueprint, abort, render_template, request, url_for

from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import Flow, FlowCounts, list_numbers, load_flow
from receiver.pages.addresses import read_time
from receiver.pages.auth.permissions import list_my_stores, requires
from receiver.pages.db_session import get_context

blueprint = Blueprint("flow", __name__)

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
MAX_SPAN_DAYS = 3_660
MAX_HOURLY_DAYS = 3  # longer spans are shown by day
SPANS: dict[str, tuple[str, int]] = {  # code -> its words, its length in µs
    "day": ("24 hours", DAY_US),
    "week": ("7 days", 7 * DAY_US),
    "month": ("30 days", 30 * DAY_US),
    "quarter": ("90 days", 90 * DAY_US),
}
# The places in the order of the flow: code, which the feed shows under the same name; title; what it means.
PLACES: Sequence[tuple[str, str, str]] = (
    ("repeats", "Reported again", "Cratejoy reported an event that we had; nothing is sent twice."),
    ("unreadable", "Could not be read", "The hook is kept with its bytes, and can be tried again."),
    ("kept", "Kept, not sent", "Events that are not forwarded, tests, and events that concern no reachable person."),
    ("withheld", "Withheld", "Nothing may be sent about the person, by the settings of the store."),
    ("waiting", "Waiting", "Messages that have not been sent yet. None is lost."),
    ("sent", "At the platform", "Every message of the event has arrived."),
    ("refused", "Refused", "The platform did not take a message. It can be sent again."),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One place of the flow: how many are there, their share in percent, and the list behind the number."""

    code: str
    title: str
    meaning: str
    number: int
    share: float
    href: str


@blueprint.get("/flow")
@requires("see")
def show() -> str:
    """Show the flow of a span: of one store, or of all."""
    stores = list_my_stores()
    chosen = _choose(stores)
    since, until, code = _read_span(get_context().now())
    step: Literal["hour", "day"] = "hour" if until - since <= MAX_HOURLY_DAYS * DAY_US else "day"
    with reading(get_context().engine) as conn:
        flow = load_flow(conn, [store.store_id for store in chosen], since, until, step)
    kept: dict[str, str] = {"store": name} if (name := request.args.get("store")) else {}
    return render_template(
        "flow.html",
        flow=flow,
        lines=list_lines(flow.total, kept, flow.since, flow.until),
        rows=[
            (part, list_lines(part.counts, kept, part.since, part.until), link_events(kept, part.since, part.until))
            for part in reversed(flow.parts)
        ],
        titles=[title for _, title, _ in PLACES],
        recovered_href=link_events({**kept, "show": "recovered"}, flow.since, flow.until),
        spans=SPANS,
        span=code,
        given=kept | {name: value for name in ("since", "until") if (value := request.args.get(name))},
        kept=kept,
        stores=stores,
        keeps_days=get_context().settings.keep_events_days,
        headline=describe_flow(flow),
    )


def list_lines(counts: FlowCounts, kept: Mapping[str, str], since: int, until: int) -> list[Line]:
    """The places with their numbers; `kept`: what of the address the lists behind them share."""
    numbers = list_numbers(counts)
    whole = max(counts.received, 1)
    return [
        Line(
            code,
            title,
            meaning,
            numbers[code],
            100 * numbers[code] / whole,
            link_events({**kept, "show": code}, since, until),
        )
        for code, title, meaning in PLACES
    ]


def link_events(given: Mapping[str, str], since: int, until: int) -> str:
    """The address of the feed with what was received in this span; its `until` is the last µs."""
    times = {"since": _format_time(since), "until": _format_time(until - 1)}
    address: dict[str, Any] = {"show": "all", **given, **times}
    return url_for("activity.show", **address)


def describe_flow(flow: Flow) -> str:
    """Say in one sentence where something is stuck, or that nothing is."""
    counts = flow.total
    if not counts.received:
        return "Nothing was received in this time."
    stuck = [
        f"{number:,} {words}"
        for number, words in (
            (counts.waiting, "waiting"),
            (counts.refused, "refused"),
            (counts.unreadable, "that could not be read"),
        )
        if number
    ]
    if not stuck:
        return "Nothing is stuck: all that was received has come to its end."
    listed = f"{', '.join(stuck[:-1])} and {stuck[-1]}" if len(stuck) > 1 else stuck[0]
    return f"Of {counts.received:,} received there are {listed}."


def _choose(stores: Sequence[VisibleStore]) -> Sequence[VisibleStore]:
    """The store of the address, or all. Another account's store is a 404."""
    name = request.args.get("store")
    chosen = [store for store in stores if name in (None, "", store.name)]
    return chosen if chosen or not name else abort(404)


def _read_span(now: int) -> tuple[int, int, str | None]:
    """(since, until, code) of the span that the address asks for, in µs; by default the last 24 hours."""
    since, until = read_time(request.args.get("since")), read_time(request.args.get("until"))
    if since is not None or until is not None:
        until = now if until is None else until
        since = until - DAY_US if since is None else since
        if not since < until or until - since > MAX_SPAN_DAYS * DAY_US:
            abort(404)
        return since, until, None
    code = request.args.get("span") or "day"
    return (now - SPANS[code][1], now, code) if code in SPANS else abort(404)


def _format_time(at: int) -> str:
    """Format a time in µs as the feed's address has it, in UTC."""
    seconds, micros = divmod(at, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros, tzinfo=None).isoformat()
