"""The output of every command: text by default, one JSON document with --json, errors on stderr with exit code 1.

Much of it comes from others: it must not be interpreted as markup or as control sequences of the terminal.
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

P = ParamSpec("P")
R = TypeVar("R")
_PIPED_WIDTH = 200  # columns
# Control characters, marks that change the text direction, and lone surrogates, which cannot be printed.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_MICROS = 1_000_000
# Columns with names that people chose, which may be long.
_NAME_COLUMNS = frozenset({"store", "stores", "account", "member", "platform", "e-mail"})


def make_table(*headers: str, gap: int = 2) -> Table:
    """Make a table that fits 80 columns: names and the last column wrap when it gets narrow, figures are never cut."""
    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header, no_wrap=header not in {*_NAME_COLUMNS, headers[-1]}, overflow="fold")
    return table


def format_short_time(at: int | None) -> str:
    """Format a time in µs without its year."""
    return "" if at is None else datetime.fromtimestamp(at / _MICROS, UTC).strftime("%m-%d %H:%M:%S")


def format_latency(micros: int | None) -> str:
    """Format a duration in µs."""
    if micros is None:
        return ""
    return f"{micros / 1000:.0f} ms" if micros < _MICROS else f"{micros / _MICROS:.1f} s"


class SafeConsole(Console):
    """A console for untrusted text: markup and emoji names are not interpreted, control characters are escaped."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Rich calls this for every line and cell that is a string."""
        return super().render_str(escape_control_characters(text), **options)


def json_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add --json, which the command takes as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")(command)


def show(document: Any, *, as_json: bool, render: Callable[[Console], None]) -> None:
    """Print the document as JSON, or call `render` with a console."""
    if as_json:
        click.echo(format_json(document))
    else:
        render(make_console())


def format_json(document: Any) -> str:
    """Format the document as indented JSON, with control characters escaped."""
    text = json.dumps(document, ensure_ascii=False, indent=2, default=str)
    return _CONTROL_CHARACTERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def styled(text: str, style: str) -> Text:
    """Return a text for a console or a cell, in this style."""
    return Text(escape_control_characters(text), style)


def print_json(out: Console, document: Any) -> None:
    """Print the document as highlighted JSON."""
    out.print(JSONHighlighter()(format_json(document)), soft_wrap=True)


def escape_control_characters(text: str) -> str:
    """Replace every control character by its escape sequence."""
    return _CONTROL_CHARACTERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def make_console(*, stderr: bool = False) -> Console:
    """Make a console as wide as the terminal, or wide enough for every table if the output is redirected."""
    out = SafeConsole(stderr=stderr)
    return out if out.is_terminal else SafeConsole(stderr=stderr, width=_PIPED_WIDTH)


def report_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Print the message of a CratewireError on stderr and exit with 1. Other exceptions keep their traceback."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except CratewireError as error:
            raise click.ClickException(escape_control_characters(str(error)) or type(error).__name__) from error

    return wrapper
