"""`cratewire reconcile`: search a store's API for what no hook has told, and show how often that happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.context import Context
from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.events.fields import format_time
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.observed_events import DAY_US, DayCount, count_by_day
from pipeline.ledger.queries import count_recovered_since, find_newest_event_id
from pipeline.ledger.reconciliations import (
    ReconciliationRow,
    create_missing_reconciliations,
    load_reconciliations,
    request_pass,
    set_record_only_since,
)
from pipeline.ledger.store_apis import find_store_api
from pipeline.ledger.stores import StoreRow, find_store
from pipeline.reconciliation.collections import COLLECTIONS
from pipeline.reconciliation.run import reconcile as reconcile_store
from receiver.cli.context import as_document, data_option, open_context
from receiver.cli.output import format_short_time, json_option, make_table, report_errors, show
from receiver.cli.waiting import WaitBudget

MAX_WAIT_S = 600.0  # seconds `run` waits in all
_SECOND = 1_000_000
store_option = click.option("--store", required=True, help="The store's name, as given to `cratewire connect`.")


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """What a pass found, by event: what no hook had told. `collections`: how each list of the API was read, if it was
    since `asked_at` (µs).
    """

    recovered: dict[str, int]
    collections: list[ReconciliationRow]
    asked_at: int

    def has_read(self, row: ReconciliationRow) -> bool:
        return (row.done_at or 0) >= self.asked_at


@click.group()
def reconcile() -> None:
    """Search a store's API for what no hook has told."""


@reconcile.command(name="run", epilog="Example: cratewire reconcile run --store acme")
@store_option
@data_option
@json_option
@report_errors
def run_command(store: str, data: Path | None, as_json: bool) -> None:
    """Search now, and recover what is missing.

    The same happens by itself once an hour. What is younger than the grace of a hook is left to the next time.
    """
    with _open_store(data, store) as (here, found):
        ran = _reconcile_until_done(here, found.id)
    document = {"recovered": ran.recovered, "collections": [_build_row(ran, row) for row in ran.collections]}
    grace = here.settings.reconcile_grace_seconds
    show(document, as_json=as_json, human=lambda console: _print_run(console, ran, grace))
    if any(row.error for row in ran.collections):
        raise SystemExit(1)


@reconcile.command(name="report", epilog="Example: cratewire reconcile report --days 7 --store acme")
@click.option("--store", help="Only this store.")
@click.option("--days", type=click.IntRange(1, 3660), default=30, show_default=True, help="How far back.")
@data_option
@json_option
@report_errors
def report_command(store: str | None, days: int, data: Path | None, as_json: bool) -> None:
    """Show by event and day how many hooks never came.

    Expected is what the API showed; late are hooks that came after their happening had been recovered.
    """
    with open_context(data) as here, reading(here.engine) as db:
        if store is not None and find_store(db, store) is None:
            raise _unknown_store(store)
        counts = count_by_day(db, here.now() // DAY_US - days + 1, store)
    document = [{**as_document(one), "day": _format_day(one.day), "rate": round(one.rate, 6)} for one in counts]
    show(document, as_json=as_json, human=lambda console: _print_report(console, counts))


@reconcile.command(name="mode", epilog="Example: cratewire reconcile mode --store acme record")
@store_option
@click.argument("mode", type=click.Choice(["forward", "record"]))
@data_option
@report_errors
def mode_command(store: str, mode: str, data: Path | None) -> None:
    """Forward what is recovered, or only record it.

    Recorded events are in the ledger and change profiles, but no platform hears of them.
    """
    with open_context(data) as here, writing(here.engine) as db:
        found = find_store(db, store)
        if found is None:
            raise _unknown_store(store)
        set_record_only_since(db, found.id, None if mode == "forward" else here.now())
    click.echo(f"What is recovered for {store} is {'forwarded' if mode == 'forward' else 'only recorded'} from now on.")


@contextmanager
def _open_store(data: Path | None, name: str) -> Iterator[tuple[Context, StoreRow]]:
    with open_context(data) as here:
        with reading(here.engine) as db:
            store = find_store(db, name)
            api = find_store_api(db, store.id) if store else None
        if store is None:
            raise _unknown_store(name)
        if api is None:
            message = f"store {name} is connected without Cratejoy's Client ID and Secret: connect it again with both"
            raise Misconfigured(message)
        if not api.registers:
            raise Misconfigured(f"store {name} has removed its hooks: `cratewire hooks sync --store {name}` first")
        yield here, store


def _reconcile_until_done(here: Context, store_id: int) -> ReconcileResult:
    """Run after run, until every collection has been read or has failed."""
    patience = WaitBudget(lambda text: click.echo(text, err=True), MAX_WAIT_S)
    asked_at = here.now()
    with writing(here.engine) as db:
        newest = find_newest_event_id(db)
        create_missing_reconciliations(db, list(COLLECTIONS), 0, asked_at)
        request_pass(db, store_id, asked_at)
    while True:
        passed = reconcile_store(here, store_id)
        with reading(here.engine) as db:  # a worker may have had a part in it
            rows, recovered = load_reconciliations(db, store_id), count_recovered_since(db, store_id, newest)
        ran = ReconcileResult(
            recovered, sorted(rows, key=lambda row: list(COLLECTIONS).index(row.collection)), asked_at
        )
        if all(map(ran.has_read, rows)) or (passed.done and any(row.error for row in rows)):
            return ran
        patience.wait(
            max(passed.wait, 0.05), f"{passed.reason or 'a worker goes on with it'}: the rest is done in the background"
        )


def _unknown_store(store: str) -> CratewireError:
    return Misconfigured(f"no store {store}: see `cratewire status` for those there are")


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
        text = f"What happened in the last {grace:g} s is looked at the next time: its hooks may still come."
        console.print(text, soft_wrap=True)


def _describe_gap(result: ReconcileResult, row: ReconciliationRow) -> str:
    """What of a list we do not know, though nothing is known to be wrong with it."""
    if not result.has_read(row):
        return "not read"
    return f"{row.unreadable} could not be read" if row.unreadable else ""


def _summarize(result: ReconcileResult) -> str:
    """No more is said than was looked at."""
    partly = any(row.error or _describe_gap(result, row) for row in result.collections)
    told = ", ".join(f"{times} {event}" for event, times in result.recovered.items())
    if told:
        return f"Recovered: {told}.{' Not everything could be compared.' if partly else ''}"
    if not any(map(result.has_read, result.collections)):
        return "Nothing could be compared."
    return "Not everything could be compared; nothing was missing in what could." if partly else "Nothing was missing."


def _print_report(console: Console, counts: list[DayCount]) -> None:
    if not counts:
        console.print("In these days no store's API has shown anything that a hook should have told.")
        return
    table = make_table("day", "store", "event", "expected", "missed", "late", "dead", "missed of 100")
    for one in counts:
        numbers = (one.expected, one.missed, one.late, one.dead)
        table.add_row(_format_day(one.day), one.store, one.event, *map(str, numbers), f"{100 * one.rate:.2f}")
    console.print(table)


def _format_day(day: int) -> str:
    return format_time(day * DAY_US)[:10]
