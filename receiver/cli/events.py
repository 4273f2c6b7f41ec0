"""`cratewire events`: lists events, shows one with all its details, or follows new ones."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, Engine

from pipeline.core.errors import Misconfigured
from pipeline.core.hooks import RECONCILE, EventOutcome
from pipeline.events.catalogue import EVENTS, is_known_event
from pipeline.events.notes import describe_note
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import DeliveryDetail, EventDetail, EventFilter, EventSummary, get_event, list_events
from receiver.cli.context import (
    LARGEST_ID,
    as_document,
    data_option,
    format_time,
    get_named_store,
    is_row_id,
    open_context,
)
from receiver.cli.output import (
    escape_control_characters,
    format_latency,
    format_short_time,
    json_option,
    make_table,
    print_json,
    report_errors,
    show,
    styled,
)
from receiver.cli.own_test_event import test_command
from receiver.cli.samples import sample

_POLL_INTERVAL_S = 0.5
_LOOKS_BACK = 10  # how often the newest ids are looked at before none of them can be missing any more
_PAGE_SIZE = 200
NO_EVENT_TEXT = "No event."


@click.group()
def events() -> None:
    """List, show or follow events; send a test event."""


events.add_command(test_command)


events.add_command(sample)


@events.command(name="list", epilog="Example: cratewire events list --name order_new --limit 20")
@click.option("--store", help="Only this store's.")
@click.option("--name", help="Only this event, e.g. order_new.")
@click.option("--outcome", type=click.Choice(get_args(EventOutcome)), help="Only this outcome.")
@click.option("--before", type=click.IntRange(0, LARGEST_ID), help="Only events before this id: the next page.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@data_option
@json_option
@report_errors
def list_command(before: int | None, limit: int, data: Path | None, as_json: bool, **given: Any) -> None:
    """List events, newest first."""
    wanted = EventFilter(**given)
    with open_context(data) as context, reading(context.engine) as conn:
        _check_filter(conn, wanted)
        found = list_events(conn, wanted, before=before, limit=limit)
    show(
        as_document(found),
        as_json=as_json,
        render=lambda console: console.print(_build_table(found) if found else NO_EVENT_TEXT),
    )


@events.command(name="show", epilog="Example: cratewire events show 42")
@click.argument("wanted", metavar="ID|ULID|RECEIPT")
@data_option
@json_option
@report_errors
def show_command(wanted: str, data: Path | None, as_json: bool) -> None:
    """Show an event: its people, what was sent, its body.

    Times after a "+" count from the arrival of the hook. --json also has the raw body.
    """
    with open_context(data) as context, reading(context.engine) as conn:
        found = get_event(conn, int(wanted) if is_row_id(wanted) else wanted)
    if found is None:
        raise Misconfigured(f"no event {wanted}")
    show(as_document(found), as_json=as_json, render=lambda console: _print_event(console, found))


@events.command(epilog="Example: cratewire events tail --store acme")
@click.option("--store", help="Only this store's.")
@click.option("--limit", type=click.IntRange(1), help="Stop after this many events.")
@data_option
@json_option
@report_errors
def tail(store: str | None, limit: int | None, data: Path | None, as_json: bool) -> None:
    """Follow events as they are recorded, until Ctrl-C. With --json, one document per line."""
    wanted = EventFilter(store=store)
    with open_context(data) as context:
        with reading(context.engine) as conn:
            _check_filter(conn, wanted)
            newest = next((event.id for event in list_events(conn, wanted, limit=1)), 0)
        for event in islice(_follow_events(context.engine, wanted, newest), limit):
            click.echo(json.dumps(as_document(event)) if as_json else _format_line(event))


def _check_filter(conn: Connection, wanted: EventFilter) -> None:
    """Raise Misconfigured for an unknown store or event name."""
    if wanted.store is not None:
        get_named_store(conn, wanted.store)
    name = wanted.name
    if name is not None and not is_known_event(name) and not list_events(conn, EventFilter(name=name), limit=1):
        raise Misconfigured(f"no event is called {name}; Cratejoy's are {', '.join(sorted(EVENTS))}")


def _follow_events(engine: Engine, wanted: EventFilter, newest: int) -> Iterator[EventSummary]:
    """Yield the events after the one with the id `newest`, in order, for ever.

    Two chains draw ids at the same time and commit in any order, so the ids of the last seconds are looked at again.
    """
    earlier = deque([newest] * _LOOKS_BACK, maxlen=_LOOKS_BACK)
    seen: set[int] = set()
    while True:
        since = earlier[0]
        with reading(engine) as conn:
            found = _load_since(conn, wanted, since)
        yield from (event for event in found if event.id not in seen)
        seen = {event.id for event in found}
        earlier.append(found[-1].id if found else since)
        time.sleep(_POLL_INTERVAL_S)


def _load_since(conn: Connection, wanted: EventFilter, newest: int) -> list[EventSummary]:
    """Load all events after `newest`, page by page."""
    found: list[EventSummary] = []
    while not found or found[-1].id > newest:
        page = list_events(conn, wanted, before=found[-1].id if found else None, limit=_PAGE_SIZE)
        if not page:
            break
        found += page
    return [event for event in reversed(found) if event.id > newest]


def _format_line(event: EventSummary) -> str:
    number = event.subject_id or ""
    what = f"{event.name:<25} {number:<10} {event.outcome:<13} {event.store}"
    return escape_control_characters(f"{format_short_time(event.received_at)}  {event.id:>5}  {what}")


def _build_table(found: list[EventSummary]) -> Table:
    table = make_table("id", "received", "event", "of", "outcome", "store", gap=1)
    for event in found:
        cells = (
            event.id,
            format_short_time(event.received_at),
            event.name,
            event.subject_id or "",
            _format_outcome(event),
        )
        table.add_row(*map(str, cells), event.store)
    return table


def _format_outcome(event: EventSummary) -> str:
    """Format the outcome, with the number of hooks if there were none in time, or more than one."""
    recovered = event.source == RECONCILE
    times = event.duplicates + (not recovered)
    count_text = f"came {times} times" if times > 1 else "hook came late" if recovered and times else ""
    return ", ".join(filter(None, (event.outcome, "recovered" if recovered else "", count_text)))


def _print_event(console: Console, found: EventDetail) -> None:
    event = found.event
    what = f"of {event.store}: event {event.id}, {_format_outcome(event)}"
    console.print(styled(event.name, "bold"), what, highlight=False)
    for name, value in (("happening", found.happening), ("ULID", event.ulid), ("receipt", event.receipt)):
        console.print(f"  {name:<10} {value}", highlight=False, soft_wrap=True)
    console.print(f"  occurred   {format_time(event.occurred_at)} UTC", highlight=False)
    console.print(f"  received   {format_time(event.received_at)} UTC", highlight=False)
    console.print(f"  then       {_format_stages(found)}", highlight=False)
    for note in found.notes:
        text = escape_control_characters(f"{note['code']}: {describe_note(note)}")
        console.print(f"  note       {text}", highlight=False, markup=False)
    console.print(
        "", _build_people_table(found), "", _build_deliveries_table(found.deliveries, event.received_at), sep="\n"
    )
    for row in found.deliveries:
        if row.reason:
            console.print(f"delivery {row.id}: {row.reason}", highlight=False)
    console.print()
    for call in found.calls:
        answer = call.status or call.error
        what = f"{call.method} {call.endpoint} -> {answer}, {format_latency(call.duration_us)}, {call.items} items"
        console.print(f"call {call.id}: {what}", highlight=False)
    print_json(console, found.data)


def _format_stages(found: EventDetail) -> str:
    stages = (("decoded", found.decoded_at), ("validated", found.validated_at), ("recorded", found.event.recorded_at))
    return ", ".join(f"{name} +{format_latency(at - found.event.received_at)}" for name, at in stages)


def _build_people_table(found: EventDetail) -> Table:
    table = make_table("person", "role", "customer", "e-mail", "no message because")
    for row in found.people:
        table.add_row(str(row.person_id), row.role, str(row.customer_id or ""), row.email or "", row.reason or "")
    return table


def _build_deliveries_table(found: Iterable[DeliveryDetail], received_at: int) -> Table:
    """Build the table of deliveries. Reasons do not fit into 80 columns and are printed below it."""
    table = make_table("delivery", "person", "platform", "what", "status", "tries", "after", gap=1)
    for row in found:
        done = f"+{format_latency(row.done_at - received_at)}" if row.done_at else ""
        cells = (row.id, row.person_id, row.platform, row.name or row.kind, row.status, row.attempts, done)
        table.add_row(*map(str, cells))
    return table
