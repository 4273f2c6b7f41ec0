"""How every command speaks: for humans by default, one JSON document with --json, errors on stderr with exit code 1."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import click
from rich.console import Console

from pipeline.errors import CratewireError

P = ParamSpec("P")
R = TypeVar("R")

_PIPED = 200  # columns


def json_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add --json, which the command takes as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")(command)


def show(document: Any, *, as_json: bool, human: Callable[[Console], None]) -> None:
    """Print the document, or what `human` makes of it on a console."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))
    else:
        human(console())


def console() -> Console:
    """As wide as the terminal; wide enough for every table if the output goes to a file or a program."""
    out = Console()
    return out if out.is_terminal else Console(width=_PIPED)


def speaks_plainly(command: Callable[P, R]) -> Callable[P, R]:
    """Turn an error of ours into its sentence on stderr and exit code 1; a fault keeps its trace."""

    @functools.wraps(command)
    def spoken(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except CratewireError as error:
            raise click.ClickException(str(error) or type(error).__name__) from error

    return spoken
