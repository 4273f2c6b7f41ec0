"""`cratewire stores events`: which events go to the platforms, and what would be sent of a recent one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.events.catalogue import EVENTS
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import StoreRow
from pipeline.operations.switch_events import list_forwarded, switch_events
from pipeline.recording.preview import EventPreview, preview_event
from receiver.cli.context import as_document, data_option, get_named_store, open_context
from receiver.cli.output import format_json, json_option, make_table, report_errors, show

_EXAMPLES = (
    "Examples: cratewire stores events acme; cratewire stores events acme --keep billing_updated; cratewire stores "
    "events acme --preview order_new"
)
_EVENT = click.Choice(sorted(EVENTS))


@click.command(name="events", epilog=_EXAMPLES)
@click.argument("name")
@click.option("--send", multiple=True, type=_EVENT, help="Send this event from now on.")
@click.option("--keep", multiple=True, type=_EVENT, help="Keep this event and do not send it from now on.")
@click.option("--forward-tests/--no-forward-tests", default=None, help="Send test-mode objects too.")
@click.option("--preview", type=_EVENT, help="Show what would be sent of the newest event of this kind.")
@data_option
@json_option
@report_errors
def events_command(name: str, data: Path | None, as_json: bool, **given: Any) -> None:
    """Show and choose which events go to the platforms.

    Each goes under Cratejoy's own name. A change holds for events that arrive from then on.
    """
    with open_context(data) as context:
        with writing(context.engine) as conn:
            store = get_named_store(conn, name)
            wanted = {*list_forwarded(store), *given["send"]} - {*given["keep"]}
            tests = store.forward_tests if given["forward_tests"] is None else given["forward_tests"]
            switch_events(conn, store, sorted(wanted), COMMAND_LINE_ACTOR, context.now(), tests=tests)
        with reading(context.engine) as conn:
            store = get_named_store(conn, name)
            preview = preview_event(conn, store, given["preview"]) if given["preview"] else None
    sent = list_forwarded(store)
    rows = [{"event": event, "is_sent": event in sent, "description": row.description} for event, row in EVENTS.items()]
    if given["preview"]:
        document = as_document(preview)
        show(document, as_json=as_json, render=lambda console: _print_preview(console, given["preview"], preview))
        return
    document = {"store": name, "events": rows, "forward_tests": store.forward_tests}
    show(document, as_json=as_json, render=lambda console: _print_events(console, rows, store))


def _print_events(console: Console, rows: Sequence[dict[str, Any]], store: StoreRow) -> None:
    table = make_table("event", "sent", "what happens")
    for row in rows:
        table.add_row(row["event"], "yes" if row["is_sent"] else "no", row["description"])
    console.print(table)
    console.print(f"Test orders: {'sent too' if store.forward_tests else 'kept, not sent'}.")


def _print_preview(console: Console, event: str, preview: EventPreview | None) -> None:
    if preview is None:
        console.print(f"There was no {event} in this store yet.")
        return
    console.print(f"What would be sent of event {preview.event_id} ({event}):")
    for role, data in preview.copies:
        console.print(f"\nto the {role.replace('_', ' ')}:")
        click.echo(format_json(data))
    if not preview.copies:
        console.print("It concerns no person, so nothing would be sent.")
