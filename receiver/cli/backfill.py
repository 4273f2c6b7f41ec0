"""`cratewire backfill`: starts, shows, pauses and cancels the backfill of a store's customers. Workers run it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from sqlalchemy import Connection

from pipeline.backfill.progress import Progress, load_progress
from pipeline.backfill.schedule import create_backfill
from pipeline.context import Context
from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, record_store_action
from pipeline.ledger.backfills import (
    ALL,
    DONE,
    INCREMENTAL,
    cancel_backfill,
    find_last_backfill,
    pause_backfill,
    resume_backfill,
)
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import find_store_api
from receiver.cli.context import as_document, data_option, get_named_store, open_context
from receiver.cli.output import json_option, report_errors, show
from receiver.cli.progress import format_progress, show_progress_bar

POLL_INTERVAL_S = 0.5
StateChange = Callable[..., bool]

store_option = click.option("--store", required=True, help="The store's name, as given to `cratewire connect`.")


@dataclass(frozen=True, slots=True)
class StoreBackfills:
    """The backfills of one store."""

    context: Context
    store: str
    store_id: int

    def progress(self) -> Progress:
        with reading(self.context.engine) as conn:
            found = load_progress(conn, self.store_id, self.context.now())
        if found is None:
            raise Misconfigured(
                f"store {self.store} has never been read: `cratewire backfill start --store {self.store}`"
            )
        return found

    def start(self, kind: str) -> Progress:
        """Start a backfill. Raises Misconfigured, with the store's name, if it cannot start."""
        with reading(self.context.engine) as conn:
            api, newest = find_store_api(conn, self.store_id), find_last_backfill(conn, self.store_id)
        if api is None:
            keys = "Cratejoy's Client ID and Secret"
            raise Misconfigured(f"store {self.store} is connected without {keys}: connect it again with both")
        if newest is not None and newest.is_open:
            raise Misconfigured(f"store {self.store}: a backfill is running or paused already")
        with writing(self.context.engine) as conn:
            create_backfill(conn, self.store_id, kind, self.context.now())
            self._record(conn, "backfill.started")
        return self.progress()

    def change_state(self, change: StateChange, refusal: str) -> Progress:
        """Change the open backfill. Raises CratewireError with `refusal` if there is none."""
        with writing(self.context.engine) as conn:
            done = change(conn, self.store_id, self.context.now())
            if done:
                self._record(conn, ACTIONS[change])
        if not done:
            raise CratewireError(f"store {self.store}: {refusal}")
        return self.progress()

    def _record(self, conn: Connection, action: str) -> None:
        record_store_action(conn, self.store_id, COMMAND_LINE_ACTOR, action, self.context.now())


ACTIONS: dict[StateChange, str] = {
    pause_backfill: "backfill.paused",
    resume_backfill: "backfill.resumed",
    cancel_backfill: "backfill.cancelled",
}


@click.group()
def backfill() -> None:
    """Read a store's existing customers, so that they become profiles. Sends no events."""


@backfill.command(name="start", epilog="Example: cratewire backfill start --store acme")
@store_option
@click.option("--incremental", is_flag=True, help="Like the daily run: all customers, and the orders of the last days.")
@data_option
@json_option
@report_errors
def start_command(store: str, incremental: bool, data: Path | None, as_json: bool) -> None:
    """Start a backfill. It runs in the workers."""
    with _open_store(data, store) as backfills:
        _show_progress(backfills.start(INCREMENTAL if incremental else ALL), as_json=as_json)


@backfill.command(name="status", epilog="Example: cratewire backfill status --store acme --json")
@store_option
@data_option
@json_option
@report_errors
def status_command(store: str, data: Path | None, as_json: bool) -> None:
    """Show the progress of the latest backfill."""
    with _open_store(data, store) as backfills:
        _show_progress(backfills.progress(), as_json=as_json)


@backfill.command(name="watch", epilog="Example: cratewire backfill watch --store acme")
@store_option
@data_option
@json_option
@report_errors
def watch_command(store: str, data: Path | None, as_json: bool) -> None:
    """Follow the backfill until it ends. The exit code is 0 only if it has read everything."""
    with _open_store(data, store) as backfills:
        with show_progress_bar(Console(stderr=True), disabled=as_json) as seen:
            while (progress := backfills.progress()).ended_at is None:
                seen(progress)
                time.sleep(POLL_INTERVAL_S)
            seen(progress)
        _show_progress(progress, as_json=as_json)
    if progress.state != DONE:
        raise SystemExit(1)


@backfill.command(name="pause", epilog="Example: cratewire backfill pause --store acme")
@store_option
@data_option
@json_option
@report_errors
def pause_command(store: str, data: Path | None, as_json: bool) -> None:
    """Pause the backfill."""
    with _open_store(data, store) as backfills:
        _show_progress(backfills.change_state(pause_backfill, "no backfill is running"), as_json=as_json)


@backfill.command(name="resume", epilog="Example: cratewire backfill resume --store acme")
@store_option
@data_option
@json_option
@report_errors
def resume_command(store: str, data: Path | None, as_json: bool) -> None:
    """Resume the backfill where it was paused."""
    with _open_store(data, store) as backfills:
        _show_progress(backfills.change_state(resume_backfill, "no backfill is paused"), as_json=as_json)


@backfill.command(name="cancel", epilog="Example: cratewire backfill cancel --store acme")
@store_option
@data_option
@json_option
@report_errors
def cancel_command(store: str, data: Path | None, as_json: bool) -> None:
    """Cancel the backfill. Profiles already made stay; `start` starts over."""
    with _open_store(data, store) as backfills:
        _show_progress(backfills.change_state(cancel_backfill, "no backfill is running or paused"), as_json=as_json)


@contextmanager
def _open_store(data: Path | None, store: str) -> Iterator[StoreBackfills]:
    with open_context(data) as context:
        with reading(context.engine) as conn:
            found = get_named_store(conn, store)
        yield StoreBackfills(context, store, found.id)


def _show_progress(progress: Progress, *, as_json: bool) -> None:
    show(
        as_document(progress),
        as_json=as_json,
        render=lambda console: console.print(*format_progress(progress), sep="\n"),
    )
