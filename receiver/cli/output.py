"""How every command speaks: for humans by default, one JSON document with --json, errors on stderr with exit code 1.

Much of what is shown was written by strangers: it formats nothing, and gives the terminal no orders.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.table import Table
from rich.text import Text

from pipeline.core.errors import CratewireError

_MICROS = 1_000_000
# What people named themselves, and may be as long as a line.
_NAME_COLUMNS = frozenset({"store", "stores", "account", "member", "platform", "e-mail"})


def make_table(*headers: str, gap: int = 2) -> Table:
    """A table of these columns; names and the last one give way when it gets narrow, so that no figure is cut off."""
    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header, no_wrap=header not in {*_NAME_COLUMNS, headers[-1]}, overflow="fold")
    return table


def format_short_time(at: int | None) -> str:
    """A time in µs, for people who know which year it is."""
    return "" if at is None else datetime.fromtimestamp(at / _MICROS, UTC).strftime("%m-%d %H:%M:%S")


def format_latency(micros: int | None) -> str:
    """A duration in µs for people."""
    if micros is None:
        return ""
    return f"{micros / 1000:.0f} ms" if micros < _MICROS else f"{micros / _MICROS:.1f} s"


P = ParamSpec("P")
R = TypeVar("R")

_PIPED_WIDTH = 200  # columns
# What a terminal obeys, what turns the direction of a text around, and halves of characters, which cannot be printed.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class SafeConsole(Console):
    """A console for what others wrote: neither markup nor names of emoji mean anything, and orders are only shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Every line and every cell that is a string comes by here."""
        return super().render_str(escape_control_characters(text), **options)


def json_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add --json, which the command takes as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")(command)


def show(document: Any, *, as_json: bool, human: Callable[[Console], None]) -> None:
    """Print the document, or what `human` makes of it on a console."""
    if as_json:
        click.echo(format_json(document))
    else:
        human(make_console())


def format_json(document: Any) -> str:
    """The document as JSON that people can read, and a terminal too."""
    text = json.dumps(document, ensure_ascii=False, indent=2, default=str)
    return _CONTROL_CHARACTERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def styled(text: str, style: str) -> Text:
    """A text for a console or a cell, in this style."""
    return Text(escape_control_characters(text), style)


def print_json(out: Console, document: Any) -> None:
    """Show humans the document as JSON."""
    out.print(JSONHighlighter()(format_json(document)), soft_wrap=True)


def escape_control_characters(text: str) -> str:
    """The text with every order to the terminal as what a programmer writes for it."""
    return _CONTROL_CHARACTERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def make_console() -> Console:
    """As wide as the terminal; wide enough for every table if the output goes to a file or a program."""
    out = SafeConsole()
    return out if out.is_terminal else SafeConsole(width=_PIPED_WIDTH)


def report_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn an error of ours into its sentence on stderr and exit code 1; a fault keeps its trace."""

    @functools.wraps(command)
    def spoken(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except CratewireError as error:
            raise click.ClickException(escape_control_characters(str(error)) or type(error).__name__) from error

    return spoken
