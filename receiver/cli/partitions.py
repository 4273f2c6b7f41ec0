"""`cratewire partitions`: shows and changes how many partitions the inbox has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.core.errors import Misconfigured
from pipeline.core.partitions import MAX_PARTITIONS
from pipeline.core.plural import pluralize
from pipeline.inbox import stream
from pipeline.inbox.partitions import get_partition_count
from pipeline.inbox.repartition import PartitionsBusy
from pipeline.operations.partitions import change_partitions
from receiver.cli.context import data_option, open_context
from receiver.cli.output import json_option, make_table, report_errors, show


@click.command(epilog="Example: cratewire partitions 4")
@click.argument("number", type=click.IntRange(1, MAX_PARTITIONS), required=False)
@data_option
@json_option
@report_errors
def partitions(number: int | None, data: Path | None, as_json: bool) -> None:
    """Show the partitions of the inbox, or change their NUMBER.

    Each partition is read by a chain of its own, so that several processor cores record hooks at the same time; a
    store's hooks are all in one. A change waits for the batches that are being recorded and moves the hooks that wait,
    in their order; web goes on taking hooks meanwhile. If it is interrupted, run it again, or leave it to the workers.

    All processes must run this version first: `docs/fleet.md` says why.
    """
    with open_context(data) as context:
        moved = None
        if number is not None:
            try:
                moved = change_partitions(context, number)
            except PartitionsBusy as busy:
                raise Misconfigured(f"{busy}: run this command again in a moment") from None
        counted = get_partition_count(context.redis)
        document: dict[str, Any] = {
            "partitions": counted.number or context.settings.partitions,
            "next": counted.next,
            "configured": context.settings.partitions,
            "moved": moved.moved if moved else None,
            "waiting": {str(partition): depth for partition, depth in stream.get_depths(context.redis).items()},
        }
    show(document, as_json=as_json, render=lambda console: _print(console, document))


def _print(console: Console, document: dict[str, Any]) -> None:
    if document["moved"] is not None:
        console.print(f"{pluralize(document['moved'], 'waiting hook')} moved.")
    console.print(f"The inbox has {pluralize(document['partitions'], 'partition')}.")
    if document["next"]:
        console.print(f"It is being given {document['next']}; the workers finish that.")
    if document["waiting"]:
        table = make_table("partition", "hooks waiting")
        for partition, depth in document["waiting"].items():
            table.add_row(partition, str(depth))
        console.print(table)
