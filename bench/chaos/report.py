"""Combine the JSON of several runs into a Markdown table: `python -m bench.chaos.report FILE …`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

import click

from bench.chaos import table
from bench.chaos.accounting import Row
from bench.chaos.boxes.counting import BoxCounts
from bench.chaos.faults import FAULTS

PLACES = {fault.name: place for place, fault in enumerate(FAULTS)}
NAMES = {field.name for field in fields(Row)}


def read(files: Iterable[Path]) -> list[Row]:
    """The rows in the order of the table; of a fault that was played again, the last."""
    found: dict[tuple[int, str], Row] = {}
    for file in files:
        for saved in json.loads(file.read_text()):
            row = Row(**{name: value for name, value in saved.items() if name in NAMES})
            row.boxes = BoxCounts(**saved["boxes"]) if saved.get("boxes") else None
            found[PLACES[row.fault], row.database] = row
    return [row for _, row in sorted(found.items(), key=lambda item: item[0])]


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(files: Sequence[Path]) -> None:
    """Print the table as Markdown."""
    rows = read(files)
    print(table.markdown(rows))
    print(table.boxes_markdown(rows))


if __name__ == "__main__":
    main()
