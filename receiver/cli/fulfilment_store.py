"""What the commands of `cratewire fulfilment` share: the store they are about, and a table of boxes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from pipeline.context import Context
from pipeline.ledger.engine import reading
from pipeline.ledger.queries.fulfilment import BoxLine
from receiver.cli.context import format_time, get_named_store, open_context
from receiver.cli.output import make_table

store_option = click.option("--store", required=True, help="The store's name, as given to `cratewire connect`.")


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store that a command is about."""

    context: Context
    name: str
    id: int


@contextmanager
def open_store(data: Path | None, store: str) -> Iterator[OpenStore]:
    """Open the installation, and find the store. Raises Misconfigured if there is no such store."""
    with open_context(data) as context:
        with reading(context.engine) as conn:
            found = get_named_store(conn, store)
        yield OpenStore(context, store, found.id)


def print_boxes(console: Console, boxes: list[BoxLine]) -> None:
    table = make_table("order", "state", "date", "what is in it")
    for box in boxes:
        content = ", ".join(f"{line['quantity']} x {line['sku']}" for line in box.lines)
        state = f"{box.state} ({box.reason})" if box.reason else box.state
        table.add_row(box.order_number, state, format_time(box.target_at)[:10], content)
    console.print(table)
