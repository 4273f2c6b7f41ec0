"""`cratewire fulfilment batches|forecast|freeze|batch`: what a batch will have, and what became of a frozen one."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.fulfilment.batches import BatchForecast, FrozenBatch, compare_frozen, forecast_batch, freeze_batch
from pipeline.fulfilment.rules.forecast import Range
from pipeline.fulfilment.rules.manifest import CHANGES, count_skus
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.batches import count_frozen, list_batches
from receiver.cli.context import data_option, format_time
from receiver.cli.fulfilment_store import open_store, store_option
from receiver.cli.output import json_option, make_table, report_errors, show

_GROUPS = (("SKU", "by_sku"), ("variant", "by_variant"), ("gift", "by_gift"), ("country", "by_country"))
batch_argument = click.argument("batch", type=int)


@click.command(name="batches", epilog="Example: cratewire fulfilment batches --store acme")
@store_option
@data_option
@json_option
@report_errors
def batches_command(store: str, data: Path | None, as_json: bool) -> None:
    """List the batches of a store, the one that ends last first."""
    with open_store(data, store) as opened, reading(opened.context.engine) as conn:
        found, frozen = list_batches(conn, opened.id), count_frozen(conn, opened.id)
    document = [{**asdict(one), "frozen_boxes": frozen.get(one.batch_id)} for one in found]
    show(document, as_json=as_json, render=lambda console: _print_batches(console, document))


@click.command(name="forecast", epilog="Example: cratewire fulfilment forecast --store acme")
@click.argument("batch", type=int, required=False)
@store_option
@data_option
@json_option
@report_errors
def forecast_command(batch: int | None, store: str, data: Path | None, as_json: bool) -> None:
    """Show how many boxes a batch will have.

    They are counted by SKU, variant, gift and country.

    Each count has the range in which it may still move until the batch ends. Without BATCH it is the one that ends
    next.
    """
    with open_store(data, store) as opened:
        made = forecast_batch(opened.context, opened.id, batch)
    show(asdict(made), as_json=as_json, render=lambda console: _print_forecast(console, made))


@click.command(name="freeze", epilog="Example: cratewire fulfilment freeze 22 --store acme")
@batch_argument
@store_option
@data_option
@json_option
@report_errors
def freeze_command(batch: int, store: str, data: Path | None, as_json: bool) -> None:
    """Write down which boxes a batch has, with a hash of them.

    Each wave of the settings is frozen by itself. What is cancelled, changed or comes later is shown apart by `batch`.
    """
    with open_store(data, store) as opened:
        made = freeze_batch(opened.context, opened.id, batch)
    document = [_describe(one) for one in made]
    show(document, as_json=as_json, render=lambda console: _print_frozen(console, made))


@click.command(name="batch", epilog="Example: cratewire fulfilment batch 22 --store acme --json")
@batch_argument
@store_option
@data_option
@json_option
@report_errors
def batch_command(batch: int, store: str, data: Path | None, as_json: bool) -> None:
    """Show a frozen batch.

    Its manifest, and what was changed after the freeze.
    """
    with open_store(data, store) as opened, reading(opened.context.engine) as conn:
        found = compare_frozen(conn, opened.id, batch)
    document = [_describe(one) for one in found]
    show(document, as_json=as_json, render=lambda console: _print_frozen(console, found))


def _describe(one: FrozenBatch) -> dict[str, Any]:
    changes = [asdict(change) | {"text": CHANGES[change.code]} for change in one.changes]
    return {"batch": one.row.batch_id, "wave": one.row.wave, "manifest": one.row.manifest, "changes": changes}


def _print_batches(console: Console, document: list[dict[str, Any]]) -> None:
    table = make_table("batch", "begins", "ends", "boxes", "frozen")
    for one in document:
        frozen = "" if one["frozen_boxes"] is None else str(one["frozen_boxes"])
        times = format_time(one["starts_at"]), format_time(one["ends_at"])
        table.add_row(str(one["batch_id"]), *times, str(one["boxes"]), frozen)
    console.print(table)


def _print_forecast(console: Console, made: BatchForecast) -> None:
    known = ", ".join(f"{count} {certainty}" for certainty, count in sorted(made.known.items())) or "no box yet"
    console.print(f"batch {made.batch.batch_id}, which ends {format_time(made.batch.ends_at)}: {known}")
    table = make_table("by", "at least", "likely", "at most", "what")
    _add(table, "boxes", "", made.expected.total)
    for title, group in _GROUPS:
        for name, found in getattr(made.expected, group).items():
            _add(table, title, name, found)
    console.print(table)


def _add(table: Any, by: str, what: str, found: Range) -> None:
    table.add_row(by, str(found.low), str(found.likely), str(found.high), what)


def _print_frozen(console: Console, found: list[FrozenBatch]) -> None:
    for one in found:
        wave = f", {one.row.wave}" if one.row.wave else ""
        console.print(f"batch {one.row.batch_id}{wave}: {one.row.boxes} boxes, frozen {format_time(one.row.frozen_at)}")
        console.print(f"SHA-256 {one.row.digest}")
        console.print(", ".join(f"{count} x {sku}" for sku, count in count_skus(one.manifest).items()))
        for code, count in sorted(Counter(change.code for change in one.changes).items()):
            console.print(f"{code}: {count}")
        for change in one.changes:
            state = change.state.value if change.state else "gone"
            console.print(f"  {change.order_number}: {CHANGES[change.code]} Now {state}.")


COMMANDS = (batches_command, forecast_command, freeze_command, batch_command)
