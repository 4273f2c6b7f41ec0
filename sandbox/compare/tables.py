"""A report as tables for a terminal. Foreign text is printed without markup and without control characters."""

import re

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.compare.report import EventCount, Report

COLUMNS = ("expected", "arrived", "missing", "unexpected", "twice", "unpromised")
MAX_SHOWN = 20
# Control characters, marks that change the direction of a text, and lone surrogates, which cannot be printed.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def print_report(console: Console, report: Report) -> None:
    """Print the events, the people, and the first differences."""
    console.print(_events(report))
    console.print(
        f"{report.people} people, {report.gift_recipients} gift recipients, {len(report.wrong_people)} wrong people, "
        f"{report.out_of_order} events out of order"
    )
    answers = ", ".join(f"{kind.replace('_', ' ')} {one.arrived} of {one.due}" for kind, one in report.answers.items())
    console.print(
        f"{report.withheld_people} withheld people, {report.undecided_people} undecided, {report.leaks} leaks; "
        f"{answers}"
    )
    if report.differences:
        console.print(_differences(report))
    for wrong in report.wrong_people[:MAX_SHOWN]:
        console.print(_strip_control_characters(f"  {wrong.person}: {wrong.why}"))
    for offence in report.offences[:MAX_SHOWN]:
        console.print(_strip_control_characters(f"  {offence.person}: {offence.why}"))
    console.print("[green]Everything arrived once.[/]" if report.is_clean else "[red]They differ.[/]")


def _events(report: Report) -> Table:
    table = Table("event", title="Events")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for name, row in sorted(report.events.items()):
        table.add_row(_strip_control_characters(name), *_cells(row))
    totals = report.totals
    table.add_section()
    table.add_row("all", *(str(totals[column]) for column in COLUMNS))
    return table


def _cells(row: EventCount) -> list[str]:
    return [_cell(column, getattr(row, column)) for column in COLUMNS]


def _cell(column: str, number: int) -> str:
    is_bad = number and column in ("missing", "unexpected", "twice")
    return f"[red]{number}[/]" if is_bad else str(number)


def _differences(report: Report) -> Table:
    table = Table(
        "what", "event", "person", "subject", "times", "happenings", title=f"The first {MAX_SHOWN} differences"
    )
    for difference in report.differences[:MAX_SHOWN]:
        numbers = ", ".join(map(str, difference.happenings))
        words = (difference.kind, difference.event, difference.person, difference.subject_id)
        table.add_row(*map(_strip_control_characters, words), str(difference.count), numbers)
    return table


def _strip_control_characters(text: str) -> Text:
    return Text(_CONTROL_CHARACTERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text))
