"""`cratewire fulfilment export|import`: files for those who pack the boxes, and the tracking that they return."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment_files import FileFormat
from pipeline.core.plural import pluralize
from pipeline.fulfilment.exports import Exported, Wanted, export_boxes, repeat_export
from pipeline.fulfilment.imports import Preview, import_file, preview_file
from pipeline.fulfilment.returned_rows import Verdict
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.exports import ExportRow, list_exports
from receiver.cli.context import data_option, format_time
from receiver.cli.fulfilment_store import open_store, store_option
from receiver.cli.output import json_option, make_table, report_errors, show

MAX_FILE_BYTES = 10 * 1024 * 1024 + 1  # one more than is read, so that a longer file is refused
FORMATS: Mapping[str, FileFormat] = {".csv": "csv", ".xlsx": "xlsx"}
PRESETS = ("generic", "pirate_ship")
_WORDS: Mapping[Verdict, str] = {
    "match": "match",
    "already_there": "there already",
    "not_shipped": "without a tracking number",
    "ambiguous": "ambiguous",
    "unknown": "unknown",
    "unreadable": "unreadable",
}


@click.command(name="export", epilog="Example: cratewire fulfilment export --store acme --out boxes.xlsx")
@store_option
@click.option(
    "--columns", metavar="COLUMNS", help="generic, pirate_ship, or such as “Order ID = reference, Name = name”."
)
@click.option("--batch", metavar="BATCH[/WAVE]", help="Only the boxes of this frozen batch, or of one of its waves.")
@click.option("--again", type=int, metavar="ID", help="Write this export again; nothing else is handed out.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="The file to write, .csv or .xlsx; it must be new."
)
@data_option
@json_option
@report_errors
def export_command(
    *,
    store: str,
    batch: str | None,
    columns: str | None,
    again: int | None,
    out: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Write all boxes that are ready to a file.

    Each is read once more at Cratejoy before. No box is in two exports. Only you can read the file: it has names and
    addresses.
    """
    number, wave = _split_wave(batch)
    wanted = Wanted(_read_format(out), _read_layout(columns), number, wave)
    with open_store(data, store) as opened:
        if again is None:
            made = export_boxes(opened.context, opened.id, wanted)
        else:
            made = repeat_export(opened.context, opened.id, again, wanted)
    path = _save(made, out or Path(f"{store}-{made.file.name}"))
    document = {"export": made.export_id, "boxes": made.boxes, "file": str(path), "left_out": dict(made.left_out)}
    show(document, as_json=as_json, render=lambda console: _print_export(console, made, path))


@click.command(name="exports", epilog="Example: cratewire fulfilment exports --store acme")
@store_option
@data_option
@json_option
@report_errors
def exports_command(store: str, data: Path | None, as_json: bool) -> None:
    """List the exports so far, the newest first."""
    with open_store(data, store) as opened, reading(opened.context.engine) as conn:
        found = list_exports(conn, opened.id)
    show([asdict(one) for one in found], as_json=as_json, render=lambda console: _print_exports(console, found))


@click.command(name="import", epilog="Example: cratewire fulfilment import labels.csv --store acme --apply")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@store_option
@click.option("--apply", "applies", is_flag=True, help="Write the rows that match.")
@data_option
@json_option
@report_errors
def import_command(file: Path, store: str, applies: bool, data: Path | None, as_json: bool) -> None:
    """Preview a returned file, or apply it.

    Shows what becomes of each row; with --apply, those that match are written.

    A row matches only by the reference of a box that was handed out, never by a name or an e-mail address. Ambiguous
    rows wait for you: `cratewire fulfilment tracking`. The same file again writes nothing.
    """
    with file.open("rb") as opened_file:
        content = opened_file.read(MAX_FILE_BYTES)
    with open_store(data, store) as opened:
        if applies:
            made = import_file(opened.context, opened.id, content)
            preview, done = made.preview, {"written": made.written, "for_people": made.for_people}
        else:
            preview, done = preview_file(opened.context, opened.id, content), None
    document = {
        "column": preview.tracking_heading,
        "counts": {verdict: preview.counts[verdict] for verdict in _WORDS},
        "rows": [asdict(row) for row in preview.rows],
        **({"applied": done} if done else {}),
    }
    show(document, as_json=as_json, render=lambda console: _print_import(console, preview, done))


def _read_format(out: Path | None) -> FileFormat:
    """The format that the name says. Raises Misconfigured before anything is handed out for a file that cannot be."""
    if out is None:
        return "csv"
    found = FORMATS.get(out.suffix.lower())
    if found is None:
        raise Misconfigured(f"{out}: name it .csv or .xlsx")
    if out.exists() or not out.absolute().parent.is_dir():
        raise Misconfigured(f"{out}: there is such a file already" if out.exists() else f"{out}: no such folder")
    return found


def _split_wave(batch: str | None) -> tuple[int | None, str | None]:
    if batch is None:
        return None, None
    number, slash, wave = batch.partition("/")
    if not number.isdecimal():
        raise Misconfigured(f"--batch {batch}: give the number of a batch, such as 22, or 22/Gifts")
    return int(number), wave if slash else None


def _read_layout(columns: str | None) -> dict[str, str]:
    if columns is None:
        return {}
    return {"preset": columns, "columns": ""} if columns in PRESETS else {"columns": columns}


def _save(made: Exported, path: Path) -> Path:
    """Save the file for the user alone, and replace none. Raises Misconfigured."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made.file.content)
    except OSError as error:
        again = f"the boxes are handed out; write the file with --again {made.export_id} --out FILE"
        raise Misconfigured(f"{path}: {error.strerror}; {again}") from error
    return path


def _print_exports(console: Console, found: list[ExportRow]) -> None:
    table = make_table("export", "when", "boxes")
    for one in found:
        table.add_row(str(one.id), format_time(one.at), str(one.boxes))
    console.print(table)


def _print_export(console: Console, made: Exported, path: Path) -> None:
    console.print(f"export {made.export_id}: {pluralize(made.boxes, 'box', 'boxes')} in {path}")
    for number, reason in sorted(made.left_out.items()):
        console.print(f"left out: {number} ({reason})")


def _print_import(console: Console, preview: Preview, done: Mapping[str, Any] | None) -> None:
    table = make_table("row", "order", "what", "why")
    for row in preview.rows:
        table.add_row(str(row.number), row.order_number, _WORDS[row.verdict], row.reason)
    console.print(table)
    console.print(f"tracking numbers of the column “{preview.tracking_heading}”")
    console.print(", ".join(f"{preview.counts[verdict]} {said}" for verdict, said in _WORDS.items()))
    if done is None:
        console.print("Nothing is written yet. Write the rows that match with --apply.")
    else:
        console.print(f"{done['written']} written; {pluralize(done['for_people'], 'parcel')} more for a person")


COMMANDS = (export_command, exports_command, import_command)
