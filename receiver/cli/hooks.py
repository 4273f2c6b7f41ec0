"""`cratewire hooks`: the hooks registered at Cratejoy. What is ours is kept in order; what is not is only shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.hook_registration.diff import FINDING_TEXTS
from pipeline.hook_registration.store_hooks import HookAudit, audit_hooks, open_store_hooks
from pipeline.hook_registration.urls import get_host
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.hook_findings import FindingRow, list_findings
from pipeline.ledger.store_apis import delete_store_api, find_store_api, request_hook_audit, set_hook_registration
from pipeline.ledger.stores import find_store, rotate_token
from receiver.cli.context import as_document, data_option, open_context
from receiver.cli.output import format_short_time, json_option, make_table, report_errors, show
from receiver.cli.waiting import WaitBudget, sync_until_done

ROTATION_GRACE_US = 86_400_000_000  # µs: how long the old token of a rotation still holds

store_option = click.option("--store", required=True, help="The store's name, as given to `cratewire connect`.")


@dataclass(frozen=True, slots=True)
class HookCommandContext:
    """One store, with everything its hooks need."""

    context: Context
    store_id: int
    patience: WaitBudget

    def tend(self, *, audit_only: bool = False) -> None:
        if not audit_only:
            with writing(self.context.engine) as db:
                request_hook_audit(db, self.store_id, self.context.now())
        sync_until_done(self.context, self.store_id, self.patience, audit_only=audit_only)

    def findings(self) -> list[FindingRow]:
        with reading(self.context.engine) as db:
            return list_findings(db, self.store_id)


@click.group()
def hooks() -> None:
    """List, mend, audit, rotate or remove the hooks registered at Cratejoy."""


@hooks.command(name="list", epilog="Example: cratewire hooks list --store acme")
@store_option
@data_option
@json_option
@report_errors
def list_command(store: str, data: Path | None, as_json: bool) -> None:
    """List every hook at Cratejoy, ours and others'."""
    with _open_store(data, store) as one:
        ward = open_store_hooks(one.context, one.store_id)
        found = one.patience.call_when_allowed(lambda: audit_hooks(one.context, ward))
    rows = _build_rows(found)
    show(rows, as_json=as_json, human=lambda console: _print_hooks(console, rows, found))


@hooks.command(name="audit", epilog="Example: cratewire hooks audit --store acme")
@store_option
@click.option("--mended", "shows_mended", is_flag=True, help="List what was mended in the last 30 days, too.")
@data_option
@json_option
@report_errors
def audit_command(store: str, shows_mended: bool, data: Path | None, as_json: bool) -> None:
    """Show what is wrong with them.

    Looks now and mends nothing. The same happens by itself every few minutes, and then what is ours is mended. With
    --json what was mended in the last 30 days is always listed.
    """
    with _open_store(data, store) as one:
        one.tend(audit_only=True)
        found = one.findings()
        ward = open_store_hooks(one.context, one.store_id)
        expected = len(ward.urls_by_event) if ward.api_row.registers else 0
    shown = [row for row in found if shows_mended or row.mended_at is None]
    show(as_document(found), as_json=as_json, human=lambda console: _print_audit(console, shown, expected))


@hooks.command(name="sync", epilog="Example: cratewire hooks sync --store acme")
@store_option
@data_option
@json_option
@report_errors
def sync_command(store: str, data: Path | None, as_json: bool) -> None:
    """Register what is missing and mend what is ours, now.

    After `remove` this brings the hooks back.
    """
    with _open_store(data, store) as one:
        _set_registration(one, registers=True)
        found = _sync_hooks(one)
    show(as_document(found), as_json=as_json, human=lambda console: _print_findings(console, found))


@hooks.command(name="rotate", epilog="Examples: cratewire hooks rotate --store acme; cratewire hooks rotate --now …")
@store_option
@click.option("--now", "at_once", is_flag=True, help="The old URLs have leaked: refuse them from now on, not in a day.")
@data_option
@json_option
@report_errors
def rotate_command(store: str, at_once: bool, data: Path | None, as_json: bool) -> None:
    """Give Cratejoy new secret URLs.

    The old ones hold for another day, and no longer.
    """
    with _open_store(data, store) as one:
        now = one.context.now()
        with writing(one.context.engine) as db:
            rotate_token(db, one.store_id, None if at_once else now + ROTATION_GRACE_US)
        found = _sync_hooks(one)
    show(as_document(found), as_json=as_json, human=lambda console: _print_findings(console, found))


@hooks.command(name="remove", epilog="Example: cratewire hooks remove --store acme --forget-keys")
@store_option
@click.option("--forget-keys", is_flag=True, help="Delete Cratejoy's Client ID and Secret here too, at the end.")
@data_option
@json_option
@report_errors
def remove_command(store: str, forget_keys: bool, data: Path | None, as_json: bool) -> None:
    """Remove ours, and register none any more.

    Those of others stay.
    """
    with _open_store(data, store) as one:
        _set_registration(one, registers=False)
        found = _sync_hooks(one)
        if forget_keys and not _list_unmended(found):
            with writing(one.context.engine) as db:
                delete_store_api(db, one.store_id)
    show(as_document(found), as_json=as_json, human=lambda console: _print_findings(console, found))


@contextmanager
def _open_store(data: Path | None, store: str) -> Iterator[HookCommandContext]:
    with open_context(data) as here:
        with reading(here.engine) as db:
            found = find_store(db, store)
            keys = find_store_api(db, found.id) if found else None
        if found is None:
            raise Misconfigured(f"no store {store}: see `cratewire status` for those there are")
        if keys is None:
            message = f"store {store} is connected without Cratejoy's Client ID and Secret: connect it again with both"
            raise Misconfigured(message)
        yield HookCommandContext(here, found.id, WaitBudget(lambda text: click.echo(text, err=True)))


def _set_registration(one: HookCommandContext, *, registers: bool) -> None:
    with writing(one.context.engine) as db:
        set_hook_registration(db, one.store_id, one.context.now(), registers=registers)


def _sync_hooks(one: HookCommandContext) -> list[FindingRow]:
    """What this command found: mended since it began, or still open."""
    began = one.context.now()
    one.tend()
    return [row for row in one.findings() if row.mended_at is None or row.mended_at >= began]


def _list_unmended(found: list[FindingRow]) -> list[FindingRow]:
    return [row for row in found if row.remedy and row.mended_at is None]


def _build_rows(found: HookAudit) -> list[dict[str, Any]]:
    wrong = {one.hook_id: one.kind for one in found.findings if one.hook_id is not None}
    return [
        {
            "id": hook.get("id"),
            "event": hook.get("event"),
            "enabled": hook.get("enabled"),
            "host": get_host(hook.get("target") or ""),
            "state": wrong.get(hook.get("id") or 0, "ok"),
        }
        for hook in found.hooks
    ]


def _print_hooks(console: Console, rows: list[dict[str, Any]], found: HookAudit) -> None:
    table = make_table("id", "event", "state", "leads to")
    for row in rows:
        table.add_row(str(row["id"]), row["event"] or "", row["state"], row["host"] or "")
    console.print(table if rows else "Cratejoy has no hook of this store.")
    for one in found.findings:
        if one.hook_id is None:
            console.print(f"{one.event or ''}: {FINDING_TEXTS[one.kind]}".removeprefix(": "))


def _print_audit(console: Console, found: list[FindingRow], expected: int) -> None:
    """One line if all hooks are as they should be, else a table. `expected`: how many there should be."""
    if any(row.kind != "foreign" and row.mended_at is None for row in found):
        _print_findings(console, found)
        return
    says = f"All {expected} hooks are registered and alive." if expected else "Removed: `sync` registers them again."
    console.print(says)
    if found:
        _print_findings(console, found)


def _print_findings(console: Console, found: list[FindingRow]) -> None:
    if not found:
        console.print("All hooks are registered as they should be.")
        return
    table = make_table("found", "event", "hook", "mended", "what")
    for row in found:
        cells = (
            format_short_time(row.found_at),
            row.event or "",
            str(row.hook_id or ""),
            format_short_time(row.mended_at),
        )
        table.add_row(*cells, _describe_finding(row))
    console.print(table)


def _describe_finding(row: FindingRow) -> str:
    return "; ".join(
        filter(None, (FINDING_TEXTS.get(row.kind, row.kind), row.host if row.remedy is None else "", row.failure))
    )
