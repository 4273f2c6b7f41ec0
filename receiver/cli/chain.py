"""`cratewire chain`: resumes the chain after it stopped because nearly all hooks failed."""

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
    """Resume the chain, so that hooks become events again."""


@chain.command(epilog="Example: cratewire chain resume")
@data_option
@json_option
@report_errors
def resume(data: Path | None, as_json: bool) -> None:
    """Resume the chain although hooks fail.

    For an hour failing hooks become dead hooks, without limit; `cratewire dead replay` retries them. A stopped chain
    resumes by itself when hooks succeed again, for example after an upgrade.
    """
    with open_context(data) as context:
        why = get_chain_stop(context.redis)
        resume_chain(context.redis, ignore_limit=True)
    document = {"stopped": as_document(why), "lets_die_seconds": LIMIT_OVERRIDE_S}
    show(document, as_json=as_json, render=lambda console: _print_result(console, document))


def _print_result(console: Console, document: dict[str, Any]) -> None:
    console.print("The chain runs again." if document["stopped"] else "The chain was not stopped.")
    console.print("For an hour failing hooks become dead hooks; see `cratewire dead list`.")
