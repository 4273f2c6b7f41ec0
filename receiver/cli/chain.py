"""`cratewire chain`: lets the chain go on that stands because nearly all hooks failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.processing.failure_limit import LIMIT_OVERRIDE_S, get_chain_stop, resume_chain
from receiver.cli.context import as_document, data_option, open_context
from receiver.cli.output import json_option, report_errors, show


@click.group()
def chain() -> None:
    """Let hooks become events again."""


@chain.command(epilog="Example: cratewire chain resume")
@data_option
@json_option
@report_errors
def resume(data: Path | None, as_json: bool) -> None:
    """Let the chain go on although hooks fail.

    For an hour hooks that fail become dead hooks, without limit; `cratewire dead replay` tries them again. A chain that
    stands goes on by itself when hooks can go on, with another version for instance.
    """
    with open_context(data) as here:
        why = get_chain_stop(here.redis)
        resume_chain(here.redis, ignore_limit=True)
    document = {"stopped": as_document(why), "lets_die_seconds": LIMIT_OVERRIDE_S}
    show(document, as_json=as_json, human=lambda console: _print_result(console, document))


def _print_result(console: Console, document: dict[str, Any]) -> None:
    console.print("The chain goes on." if document["stopped"] else "The chain was not stopped.")
    console.print("For an hour hooks that fail become dead hooks; `cratewire dead list` names them.")
