"""`cratewire dead`: lists dead hooks and deliveries with their reasons, and replays them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import click
from rich.console import Console

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import (
    DeadDeliveryDetail,
    DeadHookDetail,
    DeadLetterKind,
    DeadLetterSummary,
    get_dead_letter,
    list_dead_letters,
)
from pipeline.operations.replay import replay
from receiver.cli.context import as_document, data_option, format_time, is_row_id, open_context
from receiver.cli.output import format_short_time, json_option, make_table, print_json, report_errors, show, styled

_PAGE_SIZE = 500


@click.group()
def dead() -> None:
    """List, show or replay dead hooks and dead deliveries."""


@dead.command(name="list", epilog="Example: cratewire dead list")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@data_option
@json_option
@report_errors
def list_command(limit: int, data: Path | None, as_json: bool) -> None:
    """List dead hooks and deliveries, newest first."""
    with open_context(data) as context, reading(context.engine) as conn:
        found = list_dead_letters(conn, limit=limit)
    show(
        as_document([_build_row(summary) for summary in found]),
        as_json=as_json,
        render=lambda console: _print_table(console, found),
    )


@dead.command(name="show", epilog="Example: cratewire dead show hook:3")
@click.argument("name", metavar="hook:N|delivery:N")
@data_option
@json_option
@report_errors
def show_command(name: str, data: Path | None, as_json: bool) -> None:
    """Show a dead hook or delivery: its reason, detail and content."""
    with open_context(data) as context:
        found = _find_dead_letter(context, name)
    show(as_document(found), as_json=as_json, render=lambda console: _print_dead_letter(console, found))


@dead.command(name="replay", epilog="Examples: cratewire dead replay hook:3; cratewire dead replay --all")
@click.argument("names", metavar="hook:N|delivery:N", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything that `dead list` lists.")
@data_option
@json_option
@report_errors
def replay_command(names: tuple[str, ...], everything: bool, data: Path | None, as_json: bool) -> None:
    """Retry dead hooks and deliveries.

    They keep their ids, so that what did arrive is not duplicated.
    """
    if bool(names) == everything:
        raise click.UsageError("name what to replay, or give --all")
    with open_context(data) as context:
        wanted = _load_all(context) if everything else [_find_replayable(context, name) for name in names]
        replayed = []
        for summary in wanted:
            with writing(context.engine) as conn:
                name = f"{summary.kind}:{summary.id}"
                if replay(conn, context.redis, summary, context.now()):
                    replayed.append(name)
                else:
                    click.echo(f"{name} was not replayed: its content is no longer kept.", err=True)
    document = {"replayed": replayed}
    show(document, as_json=as_json, render=lambda console: console.print(f"{len(replayed)} replayed."))


def _load_all(context: Context) -> list[DeadLetterSummary]:
    """Load all before anything is replayed, so that what fails again at once is not replayed for ever."""
    found: list[DeadLetterSummary] = []
    with reading(context.engine) as conn:
        while page := list_dead_letters(conn, before=found[-1].cursor if found else None, limit=_PAGE_SIZE):
            found += page
    return list(reversed(found))


def _find_replayable(context: Context, name: str) -> DeadLetterSummary:
    found = _find_dead_letter(context, name)
    if isinstance(found, DeadDeliveryDetail) and found.delivery.kind == "forget":
        raise Misconfigured(
            f"{name} asked a platform to forget a person, and holds no address any more: "
            "ask again with `cratewire people erase --at-destinations`"
        )
    return found.listed


def _find_dead_letter(context: Context, name: str) -> DeadHookDetail | DeadDeliveryDetail:
    kind, _, number = name.partition(":")
    if kind not in ("hook", "delivery") or not is_row_id(number):
        raise Misconfigured(f"{name} is not of the form hook:N or delivery:N")
    with reading(context.engine) as conn:
        found = get_dead_letter(conn, cast("DeadLetterKind", kind), int(number))
    if found is None:
        raise Misconfigured(f"no dead {kind} {number}")
    return found


def _build_row(summary: DeadLetterSummary) -> dict[str, object]:
    """Build the JSON row, with the name that other commands take; `event` is the event's name."""
    return {**as_document(summary), "name": f"{summary.kind}:{summary.id}", "event": summary.name}


def _print_table(console: Console, found: list[DeadLetterSummary]) -> None:
    if not found:
        console.print("There are no dead hooks or deliveries.")
        return
    table = make_table("name", "died", "event", "reason", "store", gap=1)
    for summary in found:
        name, event = f"{summary.kind}:{summary.id}", summary.name or "profile"
        table.add_row(name, format_short_time(summary.died_at), event, summary.reason, summary.store)
    console.print(table)


def _format_times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _print_dead_letter(console: Console, found: DeadHookDetail | DeadDeliveryDetail) -> None:
    summary = found.listed
    what = f"of {summary.store}: {summary.reason} in {summary.stage}, {format_time(summary.died_at)} UTC"
    console.print(styled(f"{summary.kind}:{summary.id}", "bold"), what)
    if isinstance(found, DeadHookDetail):
        console.print(
            f"event {summary.name}, receipt {found.receipt}, died {_format_times(found.times)}, "
            f"{json.dumps(found.detail)}",
            highlight=False,
            soft_wrap=True,
        )
        console.print(found.raw[:2000].decode("utf-8", "backslashreplace"), highlight=False)
        return
    console.print(found.delivery.detail or "")
    print_json(console, found.delivery.message)
