"""`cratewire hooks`: the hooks registered at Cratejoy. Ours are repaired; others are only shown."""

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
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, record_store_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.hook_findings import FindingRow, list_findings
from pipeline.ledger.store_apis import delete_store_api, find_store_api, request_hook_audit, set_hook_registration
from pipeline.ledger.stores import rotate_token
from receiver.cli.context import as_document, data_option, get_named_store, open_context
from receiver.cli.output import format_short_time, json_option, make_table, report_errors, show
from receiver.cli.waiting import WaitBudget, sync_until_done

ROTATION_GRACE_US = 86_400_000_000  # how long the old token is accepted after a rotation

store_option = click.option("--store", required=True, help="The store's name, as given to `cratewire connect`.")


@dataclass(frozen=True, slots=True)
class HookCommandContext:
    """The context of a command about one store's hooks."""

    context: Context
    store_id: int
    wait_budget: WaitBudget

    def sync(self, *, audit_only: bool = False) -> None:
        if not audit_only:
            with writing(self.context.engine) as conn:
                request_hook_audit(conn, self.store_id, self.context.now())
        sync_until_done(self.context, self.store_id, self.wait_budget, audit_only=audit_only)

    def findings(self) -> list[FindingRow]:
        with reading(self.context.engine) as conn:
            return list_findings(conn, self.store_id)


@click.group()
def hooks() -> None:
    """List, repair, audit, rotate or remove the hooks registered at Cratejoy."""


@hooks.command(name="list", epilog="Example: cratewire hooks list --store acme")
@store_option
@data_option
@json_option
@report_errors
def list_command(store: str, data: Path | None, as_json: bool) -> None:
    """List every hook at Cratejoy, ours and others'."""
    with _open_store(data, store) as store_context:
        store_hooks = open_store_hooks(store_context.context, store_context.store_id)
        found = store_context.wait_budget.call_when_allowed(lambda: audit_hooks(store_context.context, store_hooks))
    rows = _build_rows(found)
    show(rows, as_json=as_json, render=lambda console: _print_hooks(console, rows, found))


@hooks.command(name="audit", epilog="Example: cratewire hooks audit --store acme")
@store_option
@click.option("--mended", "shows_mended", is_flag=True, help="Also list what was repaired in the last 30 days.")
@data_option
@json_option
@report_errors
def audit_command(store: str, shows_mended: bool, data: Path | None, as_json: bool) -> None:
    """Show what is wrong with the hooks.

    Checks now and repairs nothing. Every few minutes the hooks are checked and ours are repaired automatically. With
    --json what was repaired in the last 30 days is always listed.
    """
    with _open_store(data, store) as store_context:
        store_context.sync(audit_only=True)
        found = store_context.findings()
        store_hooks = open_store_hooks(store_context.context, store_context.store_id)
        expected = len(store_hooks.urls_by_event) if store_hooks.api_row.registers else 0
    shown = [row for row in found if shows_mended or row.mended_at is None]
    show(as_document(found), as_json=as_json, render=lambda console: _print_audit(console, shown, expected))


@hooks.command(name="sync", epilog="Example: cratewire hooks sync --store acme")
@store_option
@data_option
@json_option
@report_errors
def sync_command(store: str, data: Path | None, as_json: bool) -> None:
    """Register missing hooks and repair ours, now.

    After `remove` this registers the hooks again.
    """
    with _open_store(data, store) as store_context:
        _set_registration(store_context, registers=True)
        found = _sync_hooks(store_context)
    show(as_document(found), as_json=as_json, render=lambda console: _print_findings(console, found))


@hooks.command(name="rotate", epilog="Examples: cratewire hooks rotate --store acme; cratewire hooks rotate --now …")
@store_option
@click.option("--now", "at_once", is_flag=True, help="Reject the old URLs at once, e.g. because they leaked.")
@data_option
@json_option
@report_errors
def rotate_command(store: str, at_once: bool, data: Path | None, as_json: bool) -> None:
    """Register new secret URLs with Cratejoy.

    The old URLs are accepted for another day.
    """
    with _open_store(data, store) as store_context:
        now = store_context.context.now()
        with writing(store_context.context.engine) as conn:
            rotate_token(conn, store_context.store_id, None if at_once else now + ROTATION_GRACE_US)
            record_store_action(conn, store_context.store_id, COMMAND_LINE_ACTOR, "hooks.rotated", now)
        found = _sync_hooks(store_context)
    show(as_document(found), as_json=as_json, render=lambda console: _print_findings(console, found))


@hooks.command(name="remove", epilog="Example: cratewire hooks remove --store acme --forget-keys")
@store_option
@click.option("--forget-keys", is_flag=True, help="Also delete Cratejoy's Client ID and Secret from Cratewire.")
@data_option
@json_option
@report_errors
def remove_command(store: str, forget_keys: bool, data: Path | None, as_json: bool) -> None:
    """Remove our hooks, and register no more.

    Other hooks stay.
    """
    with _open_store(data, store) as store_context:
        _set_registration(store_context, registers=False)
        found = _sync_hooks(store_context)
        if forget_keys and not _list_unmended(found):
            with writing(store_context.context.engine) as conn:
                delete_store_api(conn, store_context.store_id)
    show(as_document(found), as_json=as_json, render=lambda console: _print_findings(console, found))


@contextmanager
def _open_store(data: Path | None, store: str) -> Iterator[HookCommandContext]:
    with open_context(data) as context:
        with reading(context.engine) as conn:
            found = get_named_store(conn, store)
            keys = find_store_api(conn, found.id)
        if keys is None:
            message = f"store {store} is connected without Cratejoy's Client ID and Secret: connect it again with both"
            raise Misconfigured(message)
        yield HookCommandContext(context, found.id, WaitBudget(lambda text: click.echo(text, err=True)))


def _set_registration(store_context: HookCommandContext, *, registers: bool) -> None:
    now = store_context.context.now()
    action = "hooks.registered" if registers else "hooks.removed"
    with writing(store_context.context.engine) as conn:
        set_hook_registration(conn, store_context.store_id, now, registers=registers)
        record_store_action(conn, store_context.store_id, COMMAND_LINE_ACTOR, action, now)


def _sync_hooks(store_context: HookCommandContext) -> list[FindingRow]:
    """Sync the hooks. Returns the findings that were repaired just now or are still open."""
    began = store_context.context.now()
    store_context.sync()
    return [row for row in store_context.findings() if row.mended_at is None or row.mended_at >= began]


def _list_unmended(found: list[FindingRow]) -> list[FindingRow]:
    return [row for row in found if row.remedy and row.mended_at is None]


def _build_rows(found: HookAudit) -> list[dict[str, Any]]:
    wrong = {finding.hook_id: finding.kind for finding in found.findings if finding.hook_id is not None}
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
    table = make_table("id", "event", "state", "host")
    for row in rows:
        table.add_row(str(row["id"]), row["event"] or "", row["state"], row["host"] or "")
    console.print(table if rows else "Cratejoy has no hooks of this store.")
    for finding in found.findings:
        if finding.hook_id is None:
            console.print(f"{finding.event or ''}: {FINDING_TEXTS[finding.kind]}".removeprefix(": "))


def _print_audit(console: Console, found: list[FindingRow], expected: int) -> None:
    """Print one line if all hooks are in order, else a table. `expected`: the number of hooks there should be."""
    if any(row.kind != "foreign" and row.mended_at is None for row in found):
        _print_findings(console, found)
        return
    says = f"All {expected} hooks are registered and enabled." if expected else "Removed: `sync` registers them again."
    console.print(says)
    if found:
        _print_findings(console, found)


def _print_findings(console: Console, found: list[FindingRow]) -> None:
    if not found:
        console.print("All hooks are registered correctly.")
        return
    table = make_table("found", "event", "hook", "repaired", "finding")
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
