"""`cratewire events`: what happened, newest first, one event with everything about it, or as it comes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from pipeline.errors import Misconfigured
from pipeline.ledger.engine import reading
from pipeline.ledger.reading import EventFilter, EventListed, EventShown, list_events, show_event
from receiver.cli.opened import as_document, opened, when
from receiver.cli.options import data_option
from receiver.cli.output import json_option, show, speaks_plainly

_POLL_SECONDS = 0.5
_ID_DIGITS = 18  # what surely fits a database's integer


@click.group()
def events() -> None:
    """List, show or follow events."""


@events.command(name="list", epilog="Example: cratewire events list --name order_new --limit 20")
@click.option("--store", help="Only this store's.")
@click.option("--name", help="Only this event, e.g. order_new.")
@click.option("--outcome", help="Only this outcome, e.g. forwarded, recorded, test, unknown_event, nobody.")
@click.option("--before", type=int, help="Only events before this id: the next page.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@data_option
@json_option
@speaks_plainly
def list_command(before: int | None, limit: int, data: Path | None, as_json: bool, **wanted: Any) -> None:
    """List events, newest first."""
    with opened(data) as here, reading(here.engine) as db:
        found = list_events(db, EventFilter(**wanted), before=before, limit=limit)
    show(as_document(found), as_json=as_json, human=lambda console: console.print(_table(found)))


@events.command(name="show", epilog="Example: cratewire events show 42")
@click.argument("wanted", metavar="ID|ULID|RECEIPT")
@data_option
@json_option
@speaks_plainly
def show_command(wanted: str, data: Path | None, as_json: bool) -> None:
    """Show one event: whom it concerned, what was sent, every call, the loaded body and the raw one."""
    with opened(data) as here, reading(here.engine) as db:
        found = show_event(db, int(wanted) if wanted.isdecimal() and len(wanted) <= _ID_DIGITS else wanted)
    if found is None:
        raise Misconfigured(f"no event {wanted}")
    show(as_document(found), as_json=as_json, human=lambda console: _tell(console, found))


@events.command(epilog="Example: cratewire events tail --store acme")
@click.option("--store", help="Only this store's.")
@click.option("--limit", type=click.IntRange(1), help="Stop after so many.")
@data_option
@json_option
@speaks_plainly
def tail(store: str | None, limit: int | None, data: Path | None, as_json: bool) -> None:
    """Follow events as they are recorded, until Ctrl-C. With --json, one document a line."""
    console, shown = Console(), 0
    with opened(data) as here:
        with reading(here.engine) as db:
            newest = next((event.id for event in list_events(db, EventFilter(store=store), limit=1)), 0)
        while limit is None or shown < limit:
            with reading(here.engine) as db:
                page = list_events(db, EventFilter(store=store), limit=200)
            fresh = [event for event in reversed(page) if event.id > newest][: None if limit is None else limit - shown]
            for event in fresh:
                click.echo(json.dumps(as_document(event))) if as_json else console.print(_line(event), highlight=False)
            newest = max([newest, *(event.id for event in fresh)])
            shown += len(fresh)
            time.sleep(_POLL_SECONDS)


def _line(event: EventListed) -> str:
    subject = f"{event.subject or ''} {event.subject_id or ''}".strip()
    return f"{when(event.received_at)}  {event.id:>8}  {event.store:<16} {event.name:<27} {event.outcome:<14} {subject}"


def _table(found: list[EventListed]) -> Table:
    table = Table("id", "received (UTC)", "store", "event", "subject", "outcome", "again")
    for event in found:
        subject = f"{event.subject or ''} {event.subject_id or ''}".strip()
        again = str(event.duplicates or "")
        table.add_row(str(event.id), when(event.received_at), event.store, event.name, subject, event.outcome, again)
    return table


def _tell(console: Console, found: EventShown) -> None:
    event = found.event
    console.print(f"[bold]{event.name}[/] of {event.store}: event {event.id}, {event.outcome}", highlight=False)
    console.print(f"happening {found.happening}, ULID {event.ulid}, receipt {event.receipt}", highlight=False)
    stages = (("occurred", event.occurred_at), ("received", event.received_at), ("decoded", found.decoded_at))
    for name, at in (*stages, ("validated", found.validated_at), ("recorded", event.recorded_at)):
        console.print(f"  {name:<10} {when(at)}", highlight=False)
    for note in found.notes:
        console.print(f"  note: {json.dumps(note)}", highlight=False)
    people = Table("person", "role", "customer", "e-mail", "no message because")
    for one in found.people:
        people.add_row(str(one.person_id), one.role, str(one.customer_id or ""), one.email or "", one.reason or "")
    console.print(people)
    sent = Table("delivery", "person", "platform", "what", "status", "attempts", "done (UTC)", "reason")
    for delivery in found.deliveries:
        what, done = delivery.name or delivery.kind, when(delivery.done_at)
        cells = (delivery.id, delivery.person_id, delivery.platform, what, delivery.status, delivery.attempts, done)
        sent.add_row(*map(str, cells), delivery.reason or "")
    console.print(sent)
    for call in found.calls:
        took = f"{call.duration_us / 1000:.0f} ms, {call.items} items"
        console.print(f"  call {call.id}: {call.method} {call.endpoint} -> {call.status}, {took}", highlight=False)
    console.print_json(data=found.data)
