"""`cratewire chain`: lets the chain go on that stands because nearly all hooks failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.chain.limit import LET_DIE_S, go_on, stopped
from receiver.cli.opened import as_document, opened
from receiver.cli.options import data_option
from receiver.cli.output import json_option, show, speaks_plainly


@click.group()
def chain() -> None:
    """Let hooks become events again."""


@chain.command(epilog="Example: cratewire chain resume")
@data_option
@json_option
@speaks_plainly
def resume(data: Path | None, as_json: bool) -> None:
    """Let the chain go on although hooks fail.

    For an hour hooks that fail become dead hooks, without limit; `cratewire dead replay` tries them again. A chain that
    stands goes on by itself when hooks can go on, with another version for instance.
    """
    with opened(data) as here:
        why = stopped(here.redis)
        go_on(here.redis, whatever_dies=True)
    document = {"stopped": as_document(why), "lets_die_seconds": LET_DIE_S}
    show(document, as_json=as_json, human=lambda console: _tell(console, document))


def _tell(console: Console, document: dict[str, Any]) -> None:
    console.print("The chain goes on." if document["stopped"] else "The chain was not stopped.")
    console.print("For an hour hooks that fail become dead hooks; `cratewire dead list` names them.")
