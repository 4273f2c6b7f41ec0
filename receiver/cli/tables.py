"""Tables that fit 80 columns and can be copied: no lines between cells, times without the year."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.table import Table

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
