"""`cratewire dead`: what could not go on, why, and the way back."""

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
    """List what waits for a decision, newest first."""
    with open_context(data) as here, reading(here.engine) as db:
        found = list_dead_letters(db, limit=limit)
    show(
        as_document([_build_row(one) for one in found]),
        as_json=as_json,
        human=lambda console: _print_table(console, found),
    )


@dead.command(name="show", epilog="Example: cratewire dead show hook:3")
@click.argument("name", metavar="hook:N|delivery:N")
@data_option
@json_option
@report_errors
def show_command(name: str, data: Path | None, as_json: bool) -> None:
    """Show one: its reason, its detail and what it was."""
    with open_context(data) as here:
        found = _find_dead_letter(here, name)
    show(as_document(found), as_json=as_json, human=lambda console: _print_dead_letter(console, found))


@dead.command(name="replay", epilog="Examples: cratewire dead replay hook:3; cratewire dead replay --all")
@click.argument("names", metavar="hook:N|delivery:N", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything that is listed.")
@data_option
@json_option
@report_errors
def replay_command(names: tuple[str, ...], everything: bool, data: Path | None, as_json: bool) -> None:
    """Give dead hooks and deliveries another try.

    They keep their ids: what arrived after all is not doubled.
    """
    if bool(names) == everything:
        raise click.UsageError("name what to replay, or say --all")
    with open_context(data) as here:
        wanted = _load_all(here) if everything else [_find_dead_letter(here, name).listed for name in names]
        replayed = []
        for one in wanted:
            with writing(here.engine) as db:
                if replay(db, here.redis, one):
                    replayed.append(f"{one.kind}:{one.id}")
    document = {"replayed": replayed}
    show(document, as_json=as_json, human=lambda console: console.print(f"{len(replayed)} on their way again."))


def _load_all(here: Context) -> list[DeadLetterSummary]:
    """Read before anything is replayed, so that what dies again at once is not replayed for ever."""
    found: list[DeadLetterSummary] = []
    with reading(here.engine) as db:
        while page := list_dead_letters(db, before=found[-1].place if found else None, limit=_PAGE_SIZE):
            found += page
    return list(reversed(found))


def _find_dead_letter(here: Context, name: str) -> DeadHookDetail | DeadDeliveryDetail:
    kind, _, number = name.partition(":")
    if kind not in ("hook", "delivery") or not is_row_id(number):
        raise Misconfigured(f"{name} is not of the form hook:N or delivery:N")
    with reading(here.engine) as db:
        found = get_dead_letter(db, cast("DeadLetterKind", kind), int(number))
    if found is None:
        raise Misconfigured(f"no dead {kind} {number}")
    return found


def _build_row(one: DeadLetterSummary) -> dict[str, object]:
    """As the other commands name it; what the ledger calls its name is its event's."""
    return {**as_document(one), "name": f"{one.kind}:{one.id}", "event": one.name}


def _print_table(console: Console, found: list[DeadLetterSummary]) -> None:
    if not found:
        console.print("Nothing is dead.")
        return
    table = make_table("name", "died", "event", "reason", "store", gap=1)
    for one in found:
        name, event = f"{one.kind}:{one.id}", one.name or "profile"
        table.add_row(name, format_short_time(one.died_at), event, one.reason, one.store)
    console.print(table)


def _format_times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _print_dead_letter(console: Console, found: DeadHookDetail | DeadDeliveryDetail) -> None:
    one = found.listed
    what = f"of {one.store}: {one.reason} in {one.stage}, {format_time(one.died_at)} UTC"
    console.print(styled(f"{one.kind}:{one.id}", "bold"), what)
    if isinstance(found, DeadHookDetail):
        console.print(
            f"event {one.name}, receipt {found.receipt}, died {_format_times(found.times)}, {json.dumps(found.detail)}",
            highlight=False,
            soft_wrap=True,
        )
        console.print(found.raw[:2000].decode("utf-8", "backslashreplace"), highlight=False)
        return
    console.print(found.delivery.detail or "")
    print_json(console, found.delivery.message)
