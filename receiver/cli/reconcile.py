"""`cratewire reconcile`: finds and recovers events whose hooks never arrived, and reports the miss rate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.events.fields import format_time
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.observation import DAY_US, DayCount
from pipeline.ledger.observed_events import count_by_day
from pipeline.ledger.queries import count_recovered_since, find_newest_event_id
from pipeline.ledger.reconciliations import (
    ReconciliationRow,
    create_missing_reconciliations,
    load_reconciliations,
    request_pass,
    set_record_only_since,
)
from pipeline.ledger.store_apis import find_store_api
from pipeline.ledger.stores import StoreRow
from pipeline.reconciliation.collections import COLLECTIONS
from pipeline.reconciliation.run import reconcile as reconcile_store
from receiver.cli.context import as_document, data_option, get_named_store, open_context
from receiver.cli.output import format_short_time, json_option, make_table, report_errors, show
from receiver.cli.waiting import WaitBudget

MAX_WAIT_S = 600.0  # `run` waits in total
_SECOND = 1_000_000
store_option = click.option("--store", required=True, help="The store's name, as given to `cratewire connect`.")


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """The events that were recovered, by name, and the state of each collection of the API. `requested_at` is in µs."""

    recovered: dict[str, int]
    collections: list[ReconciliationRow]
    requested_at: int

    def has_read(self, row: ReconciliationRow) -> bool:
        return (row.done_at or 0) >= self.requested_at


@click.group()
def reconcile() -> None:
    """Find and recover events whose hooks never arrived."""


@reconcile.command(name="run", epilog="Example: cratewire reconcile run --store acme")
@store_option
@data_option
@json_option
@report_errors
def run_command(store: str, data: Path | None, as_json: bool) -> None:
    """Compare with the store's API now, and recover missing events.

    This also runs once an hour. Events younger than the grace period of hooks are left for the next run.
    """
    with _open_store(data, store) as (context, found):
        result = _reconcile_until_done(context, found.id)
    document = {"recovered": result.recovered, "collections": [_build_row(result, row) for row in result.collections]}
    grace = context.settings.reconcile_grace_seconds
    show(document, as_json=as_json, render=lambda console: _print_run(console, result, grace))
    if any(row.error for row in result.collections):
        raise SystemExit(1)


@reconcile.command(name="report", epilog="Example: cratewire reconcile report --days 7 --store acme")
@click.option("--store", help="Only this store.")
@click.option("--days", type=click.IntRange(1, 3660), default=30, show_default=True, help="How far back.")
@data_option
@json_option
@report_errors
def report_command(store: str | None, days: int, data: Path | None, as_json: bool) -> None:
    """Show by event and day how many hooks never arrived.

    `expected` is what the API showed; `late` counts hooks that arrived after their event had been recovered.
    """
    with open_context(data) as context, reading(context.engine) as conn:
        if store is not None:
            get_named_store(conn, store)
        counts = count_by_day(conn, context.now() // DAY_US - days + 1, [store] if store else None)
    document = [{**as_document(row), "day": _format_day(row.day), "rate": round(row.rate, 6)} for row in counts]
    show(document, as_json=as_json, render=lambda console: _print_report(console, counts))


@reconcile.command(name="mode", epilog="Example: cratewire reconcile mode --store acme record")
@store_option
@click.argument("mode", type=click.Choice(["forward", "record"]))
@data_option
@report_errors
def mode_command(store: str, mode: str, data: Path | None) -> None:
    """Forward recovered events, or only record them.

    Events that are only recorded are in the ledger and change profiles, but are sent to no platform.
    """
    with open_context(data) as context, writing(context.engine) as conn:
        found = get_named_store(conn, store)
        set_record_only_since(conn, found.id, None if mode == "forward" else context.now())
    click.echo(f"Events recovered for {store} are {'forwarded' if mode == 'forward' else 'only recorded'} from now on.")


@contextmanager
def _open_store(data: Path | None, name: str) -> Iterator[tuple[Context, StoreRow]]:
    with open_context(data) as context:
        with reading(context.engine) as conn:
            store = get_named_store(conn, name)
            api = find_store_api(conn, store.id)
        if api is None:
            message = f"store {name} is connected without Cratejoy's Client ID and Secret: connect it again with both"
            raise Misconfigured(message)
        if not api.registers:
            raise Misconfigured(f"store {name} has removed its hooks: `cratewire hooks sync --store {name}` first")
        yield context, store


def _reconcile_until_done(context: Context, store_id: int) -> ReconcileResult:
    """Run passes until every collection has been read or has failed."""
    wait_budget = WaitBudget(lambda text: click.echo(text, err=True), MAX_WAIT_S)
    requested_at = context.now()
    with writing(context.engine) as conn:
        newest = find_newest_event_id(conn)
        create_missing_reconciliations(conn, list(COLLECTIONS), 0, requested_at)
        request_pass(conn, store_id, requested_at)
    while True:
        last_pass = reconcile_store(context, store_id)
        with reading(context.engine) as conn:  # a worker may have done part of it
            rows, recovered = load_reconciliations(conn, store_id), count_recovered_since(conn, store_id, newest)
        result = ReconcileResult(
            recovered, sorted(rows, key=lambda row: list(COLLECTIONS).index(row.collection)), requested_at
        )
        if all(map(result.has_read, rows)) or (last_pass.done and any(row.error for row in rows)):
            return result
        wait_budget.wait(
            max(last_pass.wait, 0.05),
            f"{last_pass.reason or 'a worker continues it'}: the rest is done in the background",
        )


def _build_row(result: ReconcileResult, row: ReconciliationRow) -> dict[str, Any]:
    names = ("collection", "mark", "done_at", "pages", "unreadable", "error")
    return {**{name: getattr(row, name) for name in names}, "read": result.has_read(row)}


def _print_run(console: Console, result: ReconcileResult, grace: float) -> None:
    table = make_table("collection", "pages", "complete until", "trouble")
    for row in result.collections:
        table.add_row(
            row.collection, str(row.pages), format_short_time(row.mark), row.error or _describe_gap(result, row)
        )
    console.print(table, "", sep="\n")
    console.print(_summarize(result), soft_wrap=True)
    if grace:
        text = f"Events of the last {grace:g} s are left for the next run: their hooks may still arrive."
        console.print(text, soft_wrap=True)


def _describe_gap(result: ReconcileResult, row: ReconciliationRow) -> str:
    """Describe what was not read of a collection that has no error."""
    if not result.has_read(row):
        return "not read"
    return f"{row.unreadable} could not be read" if row.unreadable else ""


def _summarize(result: ReconcileResult) -> str:
    """Summarize the result, without claiming more than was compared."""
    is_partial = any(row.error or _describe_gap(result, row) for row in result.collections)
    recovered = ", ".join(f"{times} {event}" for event, times in result.recovered.items())
    if recovered:
        return f"Recovered: {recovered}.{' Not everything could be compared.' if is_partial else ''}"
    if not any(map(result.has_read, result.collections)):
        return "Nothing could be compared."
    return (
        "Not everything could be compared; nothing was missing in what could." if is_partial else "Nothing was missing."
    )


def _print_report(console: Console, counts: list[DayCount]) -> None:
    if not counts:
        console.print("In these days no store's API showed an event that needs a hook.")
        return
    table = make_table("day", "store", "event", "expected", "missed", "late", "dead", "missed of 100")
    for row in counts:
        numbers = (row.expected, row.missed, row.late, row.dead)
        table.add_row(_format_day(row.day), row.store, row.event, *map(str, numbers), f"{100 * row.rate:.2f}")
    console.print(table)


def _format_day(day: int) -> str:
    return format_time(day * DAY_US)[:10]
