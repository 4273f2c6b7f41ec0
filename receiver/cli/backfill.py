"""`cratewire backfill`: the reading of a store's customers, begun, looked at, paused and ended. Workers do the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from pipeline.backfill.progress import Progress, load_progress
from pipeline.backfill.schedule import start_backfill
from pipeline.context import Context
from pipeline.core.errors import CratewireError, Misconfigured
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
from pipeline.ledger.stores import find_store
from receiver.cli.context import as_document, data_option, open_context
from receiver.cli.output import json_option, report_errors, show
from receiver.cli.progress import format_progress, show_progress_bar

POLL_INTERVAL_S = 0.5
StateChange = Callable[..., bool]

store_option = click.option("--store", required=True, help="The store's name, as given to `cratewire connect`.")


@dataclass(frozen=True, slots=True)
class StoreBackfills:
    """One store of an installation."""

    here: Context
    store: str
    store_id: int

    def progress(self) -> Progress:
        with reading(self.here.engine) as db:
            found = load_progress(db, self.store_id, self.here.now())
        if found is None:
            raise Misconfigured(
                f"store {self.store} has never been read: `cratewire backfill start --store {self.store}`"
            )
        return found

    def start(self, kind: str) -> Progress:
        """Begin one. What is in the way is said with the store's name: people do not know its number."""
        with reading(self.here.engine) as db:
            api, newest = find_store_api(db, self.store_id), find_last_backfill(db, self.store_id)
        if api is None:
            keys = "Cratejoy's Client ID and Secret"
            raise Misconfigured(f"store {self.store} is connected without {keys}: connect it again with both")
        if newest is not None and newest.is_open:
            raise Misconfigured(f"store {self.store}: a backfill is running or paused already")
        start_backfill(self.here.engine, self.store_id, kind, self.here.now())
        return self.progress()

    def act(self, act: StateChange, refusal: str) -> Progress:
        """Change what is open; say why if there is nothing to change."""
        with writing(self.here.engine) as db:
            done = act(db, self.store_id, self.here.now())
        if not done:
            raise CratewireError(f"store {self.store}: {refusal}")
        return self.progress()


@click.group()
def backfill() -> None:
    """Read the customers a store has already, so that they become profiles. Never an event."""


@backfill.command(name="start", epilog="Example: cratewire backfill start --store acme")
@store_option
@click.option("--incremental", is_flag=True, help="As once a day by itself: all customers, and the last days' orders.")
@data_option
@json_option
@report_errors
def start_command(store: str, incremental: bool, data: Path | None, as_json: bool) -> None:
    """Begin one. The workers do the rest, whether somebody watches or not."""
    with _open_store(data, store) as book:
        _show_progress(book.start(INCREMENTAL if incremental else ALL), as_json=as_json)


@backfill.command(name="status", epilog="Example: cratewire backfill status --store acme --json")
@store_option
@data_option
@json_option
@report_errors
def status_command(store: str, data: Path | None, as_json: bool) -> None:
    """Show how far the newest one has come."""
    with _open_store(data, store) as book:
        _show_progress(book.progress(), as_json=as_json)


@backfill.command(name="watch", epilog="Example: cratewire backfill watch --store acme")
@store_option
@data_option
@json_option
@report_errors
def watch_command(store: str, data: Path | None, as_json: bool) -> None:
    """Follow it until it ends. The exit code is 0 only if it has read everything."""
    with _open_store(data, store) as book:
        with show_progress_bar(Console(stderr=True), disabled=as_json) as seen:
            while (progress := book.progress()).ended_at is None:
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
    """Read no further page until it is resumed."""
    with _open_store(data, store) as book:
        _show_progress(book.act(pause_backfill, "no backfill is running"), as_json=as_json)


@backfill.command(name="resume", epilog="Example: cratewire backfill resume --store acme")
@store_option
@data_option
@json_option
@report_errors
def resume_command(store: str, data: Path | None, as_json: bool) -> None:
    """Go on where it was paused."""
    with _open_store(data, store) as book:
        _show_progress(book.act(resume_backfill, "no backfill is paused"), as_json=as_json)


@backfill.command(name="cancel", epilog="Example: cratewire backfill cancel --store acme")
@store_option
@data_option
@json_option
@report_errors
def cancel_command(store: str, data: Path | None, as_json: bool) -> None:
    """End it here. The profiles that were made stay; `start` begins anew."""
    with _open_store(data, store) as book:
        _show_progress(book.act(cancel_backfill, "no backfill is running or paused"), as_json=as_json)


@contextmanager
def _open_store(data: Path | None, store: str) -> Iterator[StoreBackfills]:
    with open_context(data) as here:
        with reading(here.engine) as db:
            found = find_store(db, store)
        if found is None:
            raise Misconfigured(f"no store {store}: see `cratewire status` for those there are")
        yield StoreBackfills(here, store, found.id)


def _show_progress(progress: Progress, *, as_json: bool) -> None:
    show(
        as_document(progress),
        as_json=as_json,
        human=lambda console: console.print(*format_progress(progress), sep="\n"),
    )
