"""`cratewire replay`: sends messages again and reads dead hooks again, after saying what that will do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import Show
from pipeline.ledger.replays import (
    MAX_SELECTED,
    ReplayRow,
    Selection,
    find_replay,
    list_replays,
)
from pipeline.ledger.stores import StoreRow, list_stores
from pipeline.operations.replays.steer import ask_replay, begin, discard, stop
from receiver.cli.context import (
    LARGEST_ID,
    TimeType,
    as_document,
    data_option,
    get_named_store,
    is_row_id,
    open_context,
)
from receiver.cli.output import format_short_time, json_option, make_table, report_errors, show
from receiver.replay_view import STATE_TEXTS, describe_plan, describe_progress, describe_selection

_EXAMPLES = (
    "Examples: cratewire replay start --store acme --refused; cratewire replay start --store acme --event 42 "
    "--again --yes; cratewire replay start --store acme --show refused --since 2026-11-29T18:00 --yes"
)


@click.group()
def replay() -> None:
    """Send messages again, and read hooks again that could not be read.

    Messages keep their ids, and what has arrived is not sent again unless --again says so.
    """


@replay.command(name="start", epilog=_EXAMPLES)
@click.option("--store", help="The store's name; needed if there is more than one.")
@click.option("--refused", is_flag=True, help="Every message that was refused.")
@click.option("--hooks", is_flag=True, help="Hooks that could not be read; alone, or beside what else is selected.")
@click.option("--event", "events", type=click.IntRange(1, LARGEST_ID), multiple=True, help="This event; repeatable.")
@click.option("--hook", "hook_ids", multiple=True, metavar="hook:N", help="This dead hook; repeatable.")
@click.option(
    "--show", "shown", type=click.Choice(get_args(Show)), help="Events as this filter of the feed shows them."
)
@click.option("--name", help="Only this event, e.g. order_new.")
@click.option("--person", "person_id", type=click.IntRange(1, LARGEST_ID), help="Only events about this person's id.")
@click.option(
    "--since", type=TimeType(), metavar="TIME", help="Only what came since then, e.g. 2026-11-29T18:00, in UTC."
)
@click.option("--until", type=TimeType(), metavar="TIME", help="Only what came until then.")
@click.option("--again", is_flag=True, help="Deliver again: also what has arrived. It keeps its id.")
@click.option("--yes", is_flag=True, help="Begin; without it only the figures are shown.")
@data_option
@json_option
@report_errors
def start_command(store: str | None, again: bool, yes: bool, data: Path | None, as_json: bool, **given: Any) -> None:
    """Say what a replay would send, and begin it with --yes.

    Workers send it behind what is live; `cratewire replay show` says how far it is.
    """
    selection = _read_selection(given)
    with open_context(data) as context:
        row = _count(context, _choose_store(context, store), selection, delivers_again=again)
        begins = yes and row.total > 0
        with writing(context.engine) as conn:
            if begins:
                begin(conn, row.id, COMMAND_LINE_ACTOR, context.now())
            else:
                discard(conn, row.id, COMMAND_LINE_ACTOR, context.now())
            row = find_replay(conn, row.id) or row
    show(_build_document(row), as_json=as_json, render=lambda console: _print_plan(console, row, begins=begins))


@replay.command(name="list", epilog="Example: cratewire replay list --store acme")
@click.option("--store", help="Only this store's.")
@click.option("--before", type=click.IntRange(0, LARGEST_ID), help="Only replays before this id: the next page.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@data_option
@json_option
@report_errors
def list_command(store: str | None, before: int | None, limit: int, data: Path | None, as_json: bool) -> None:
    """List replays, newest first."""
    with open_context(data) as context, reading(context.engine) as conn:
        stores = [get_named_store(conn, store)] if store else list_stores(conn)
        found = list_replays(conn, [one.id for one in stores], before=before, limit=limit)
    show([_build_document(row) for row in found], as_json=as_json, render=lambda console: _print_table(console, found))


@replay.command(name="show", epilog="Example: cratewire replay show 3")
@click.argument("replay_id", metavar="ID", type=click.IntRange(1, LARGEST_ID))
@data_option
@json_option
@report_errors
def show_command(replay_id: int, data: Path | None, as_json: bool) -> None:
    """Show a replay: what it sends, and how far it is."""
    with open_context(data) as context:
        row = _find(context, replay_id)
    show(_build_document(row), as_json=as_json, render=lambda console: _print_replay(console, row))


@replay.command(name="stop", epilog="Example: cratewire replay stop 3")
@click.argument("replay_id", metavar="ID", type=click.IntRange(1, LARGEST_ID))
@data_option
@json_option
@report_errors
def stop_command(replay_id: int, data: Path | None, as_json: bool) -> None:
    """Stop a replay, and take back what has not left."""
    with open_context(data) as context:
        with writing(context.engine) as conn:
            is_stopped = stop(conn, replay_id, COMMAND_LINE_ACTOR, context.now())
        row = _find(context, replay_id)
    if not is_stopped:
        raise Misconfigured(f"replay {replay_id} is not running: it is {STATE_TEXTS[row.state]}")
    show(_build_document(row), as_json=as_json, render=lambda console: _print_replay(console, row))


def _count(context: Context, store: StoreRow, selection: Selection, *, delivers_again: bool) -> ReplayRow:
    return _find(context, ask_replay(context, store.id, selection, delivers_again=delivers_again, user_id=None))


def _find(context: Context, replay_id: int) -> ReplayRow:
    with reading(context.engine) as conn:
        row = find_replay(conn, replay_id)
    if row is None:
        raise Misconfigured(f"no replay {replay_id}: see `cratewire replay list`")
    return row


def _choose_store(context: Context, name: str | None) -> StoreRow:
    with reading(context.engine) as conn:
        stores = [get_named_store(conn, name)] if name is not None else list_stores(conn)
    if len(stores) != 1:
        raise Misconfigured("there is more than one store: name one with --store" if stores else "there is no store")
    return stores[0]


def _read_selection(given: dict[str, Any]) -> Selection:
    """Return the selection that the options name. Raises UsageError for none, and for several kinds at once."""
    hook_ids = tuple(_read_hook_id(name) for name in given["hook_ids"])
    filters = {"show": given["shown"], "name": given["name"], "person_id": given["person_id"]}
    filters |= {"since": given["since"], "until": given["until"]}
    is_filtered = any(value is not None for value in filters.values())
    chosen = [bool(given["events"]), bool(hook_ids), given["refused"]]
    if sum(chosen) > 1 or (any(chosen) and is_filtered):
        raise click.UsageError("give --event, --hook, --refused or a filter, not several of these")
    if len(given["events"]) > MAX_SELECTED or len(hook_ids) > MAX_SELECTED:
        raise click.UsageError(f"at most {MAX_SELECTED} can be named one by one: give a filter")
    if given["events"]:
        return Selection("events", event_ids=given["events"])
    if hook_ids:
        return Selection("hooks", hook_ids=hook_ids)
    if given["refused"]:
        return Selection("refused", with_hooks=given["hooks"])
    if is_filtered:
        return Selection("filter", with_hooks=given["hooks"], **filters)
    if given["hooks"]:
        return Selection("hooks")
    raise click.UsageError("say what to replay: --refused, --hooks, --event, --hook, or a filter such as --since")


def _read_hook_id(name: str) -> int:
    kind, _, number = name.partition(":")
    if kind != "hook" or not is_row_id(number):
        raise click.UsageError(f"{name} is not of the form hook:N, as `cratewire dead list` shows it")
    return int(number)


def _build_document(row: ReplayRow) -> dict[str, Any]:
    """Build the JSON document: the figures by the names that pages and API use."""
    document = as_document(row)
    del document["user_email"]
    return {**document, "selection": row.selection.as_document(), "counts": asdict(row.counts), "left": row.left}


def _print_plan(console: Console, row: ReplayRow, *, begins: bool) -> None:
    for said in describe_plan(row):
        console.print(said, soft_wrap=True, highlight=False)
    if begins:
        console.print(f"Replay {row.id} has begun: `cratewire replay show {row.id}` says how far it is.")
    elif row.total:
        console.print("Nothing was sent. With --yes it begins.")


def _print_replay(console: Console, row: ReplayRow) -> None:
    by = f"user {row.user_id}" if row.user_id is not None else "the command line"
    console.print(
        f"Replay {row.id} of {row.store}, by {by}: {describe_selection(row)}", soft_wrap=True, highlight=False
    )
    for said in describe_plan(row):
        console.print(said, soft_wrap=True, highlight=False)
    console.print(f"{STATE_TEXTS[row.state].capitalize()}: {describe_progress(row)}.", highlight=False)


def _print_table(console: Console, found: list[ReplayRow]) -> None:
    if not found:
        console.print("There are no replays.")
        return
    table = make_table("id", "asked for", "state", "sends", "done", "failed", "left", "store", gap=1)
    for row in found:
        cells = (row.id, format_short_time(row.created_at), STATE_TEXTS[row.state], row.total, row.done, row.failed)
        table.add_row(*map(str, cells), str(row.left), row.store)
    console.print(table)
