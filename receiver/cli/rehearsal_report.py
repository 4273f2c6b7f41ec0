"""What a rehearsal has found, as a document and as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from pipeline.core.plural import pluralize
from pipeline.rehearsal.differences import Difference, Differences
from pipeline.rehearsal.run import RehearsalReport
from receiver.cli.context import as_document
from receiver.cli.output import make_table


def build_document(report: RehearsalReport, titles: Mapping[int, str], every: Differences | None) -> dict[str, Any]:
    """Return the report as `--json` prints it. `titles`: of the connections; `every`: all differences, if asked for."""
    groups = [{**as_document(group), "to": titles.get(group.connection, "")} for group in report.groups]
    unsendable = [
        {"to": titles.get(number, ""), "event": event, "kind": kind, "count": count}
        for (number, event, kind), count in sorted(report.unsendable.items())
    ]
    figures = {key: value for key, value in as_document(report).items() if key not in {"groups", "unsendable"}}
    document = {**figures, "differences": report.differences, "groups": groups, "unsendable": unsendable}
    return document if every is None else {**document, "all": [as_document(one) for one in every]}


def print_report(out: Console, report: RehearsalReport, titles: Mapping[int, str], every: Differences | None) -> None:
    """Print counts first, then each kind of difference, then examples or all."""
    out.print(
        f"{pluralize(report.hooks, 'hook')}: {pluralize(report.messages_before, 'message')} as things are, "
        f"{report.messages_after} with the change. {pluralize(report.differences, 'difference')}.",
        highlight=False,
        soft_wrap=True,
    )
    if report.from_data:
        out.print(f"Of {report.from_data} the bytes are gone: what was read of them then is used.", highlight=False)
    table = make_table("to", "what", "difference", "count", "people", "fields")
    for group in report.groups:
        table.add_row(
            titles.get(group.connection, ""),
            _name_what(group.kind, group.event),
            group.change,
            str(group.count),
            str(group.people or ""),
            ", ".join(group.fields),
        )
    if report.groups:
        out.print(table)
    for (number, event, kind), count in sorted(report.unsendable.items()):
        to = titles.get(number, "")
        out.print(f"{to}: no request is made for {count} of {_name_what(kind, event)}.", highlight=False)
    shown = every if every is not None else (one for group in report.groups for one in group.examples[:1])
    for one in shown:
        _print_difference(out, one, titles)


def _print_difference(out: Console, one: Difference, titles: Mapping[int, str]) -> None:
    to = titles.get(one.connection)
    place = f"{to}, " if to else ""
    about = f" about {one.person}" if one.person else ""
    out.print(f"{place}{_name_what(one.kind, one.event)}{about}, hook {one.receipt}: {one.change}", highlight=False)
    for path in one.fields:
        if path in one.detail:
            old, new = one.detail[path]
            out.print(f"    {path}: {old!r} -> {new!r}", highlight=False, soft_wrap=True)
        else:
            out.print(f"    {path}", highlight=False)


def _name_what(kind: str, event: str) -> str:
    return f"profile after {event}" if kind == "profile" else event if kind == "event" else f"hook {event}"
