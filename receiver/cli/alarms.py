"""`cratewire alarms`: lists alarms, and tests whether mails and notices arrive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.attention.set_aside import MAX_DAYS, set_aside, unset_aside
from pipeline.context import Context
from pipeline.core.errors import CratewireError
from pipeline.ledger.accounts import list_owner_emails
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import list_newest_alarms
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.mail.transport import open_mail_transport
from pipeline.monitoring.alert_webhook import derive_signing_secret
from pipeline.monitoring.messages import build_headline, build_sentence
from pipeline.monitoring.trial_alarm import build_trial_mail, send_trial_notice
from receiver.cli.context import LARGEST_ID, as_document, data_option, get_named_store, open_context
from receiver.cli.output import format_short_time, json_option, make_table, report_errors, show


@click.group()
def alarms() -> None:
    """Show alarms, and test their delivery."""


@alarms.command(name="list", epilog="Example: cratewire alarms list --json")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="The maximum number of alarms."
)
@data_option
@json_option
@report_errors
def list_command(limit: int, data: Path | None, as_json: bool) -> None:
    """List alarms, newest first; those without an end are open."""
    with open_context(data) as context, reading(context.engine) as conn:
        found = list_newest_alarms(conn, limit)
    show(as_document(found), as_json=as_json, render=lambda console: _print_alarms(console, found))


@alarms.command(
    name="set-aside", epilog='Example: cratewire alarms set-aside 3 --reason "the platform mends it on Monday"'
)
@click.argument("alarm_id", metavar="ID", type=click.IntRange(1, LARGEST_ID))
@click.option("--reason", required=True, help="Why, for colleagues.")
@click.option("--days", type=click.IntRange(1, MAX_DAYS), help="For how many days; by default until it gets worse.")
@data_option
@json_option
@report_errors
def set_aside_command(alarm_id: int, reason: str, days: int | None, data: Path | None, as_json: bool) -> None:
    """Set aside what needs a person.

    No mail mentions it for so many days, or until it gets worse.
    """
    with open_context(data) as context:
        row = set_aside(context, alarm_id, COMMAND_LINE_ACTOR, reason=reason, days=days)
    show(as_document(row), as_json=as_json, render=lambda console: console.print(f"Set aside: {build_headline(row)}."))


@alarms.command(name="bring-back", epilog="Example: cratewire alarms bring-back 3")
@click.argument("alarm_id", metavar="ID", type=click.IntRange(1, LARGEST_ID))
@data_option
@json_option
@report_errors
def bring_back_command(alarm_id: int, data: Path | None, as_json: bool) -> None:
    """Bring back what was set aside."""
    with open_context(data) as context:
        unset_aside(context, alarm_id, COMMAND_LINE_ACTOR)
    show({"brought_back": alarm_id}, as_json=as_json, render=lambda console: console.print("It is back on the list."))


@alarms.command(name="test", epilog="Example: cratewire alarms test --store acme")
@click.option("--store", help="Mail the owners of this store; by default all owners.")
@data_option
@json_option
@report_errors
def test_command(store: str | None, data: Path | None, as_json: bool) -> None:
    """Send a test alarm by mail and to the alarm URL.

    The alarm URL is `CRATEWIRE_ALARM_URL`. The exit code is 0 only if every recipient was reached, and at least one.
    """
    with open_context(data) as context:
        outcome = {
            "letters": _send_mails(context, _list_recipients(context, store)),
            "notice": send_trial_notice(context),
        }
    show(outcome, as_json=as_json, render=lambda console: _print_outcome(console, outcome))
    raise SystemExit(0 if _is_delivered(outcome) else 1)


@alarms.command(name="secret", epilog="Example: cratewire alarms secret")
@data_option
@json_option
@report_errors
def secret_command(data: Path | None, as_json: bool) -> None:
    """Show the secret that notices are signed with.

    They go to `CRATEWIRE_ALARM_URL`. The secret is derived from CRATEWIRE_SECRET_KEY. The receiver checks
    notices with it, as docs/monitoring.md says.
    """
    with open_context(data) as context:
        secret = derive_signing_secret(context.settings.secret_keys[0])
    show({"secret": secret}, as_json=as_json, render=lambda console: console.print(secret, soft_wrap=True))


def _list_recipients(context: Context, store: str | None) -> list[str]:
    with reading(context.engine) as conn:
        found = get_named_store(conn, store) if store else None
        operator = context.settings.operator_mail
        return list(dict.fromkeys([*list_owner_emails(conn, found.account_id if found else None), *operator]))


def _send_mails(context: Context, owners: Sequence[str]) -> list[str | None]:
    """Send at once, without the tasks. Returns for each owner why the mail failed; None if it was accepted."""
    settings = context.settings
    transport = open_mail_transport(settings.smtp_url, settings.mail_from, settings.data_dir)
    faults: list[str | None] = []
    for owner in owners:
        try:
            transport.send(build_trial_mail(owner, settings.public_url))
        except CratewireError as error:
            faults.append(str(error))
        else:
            faults.append(None)
    return faults


def _is_delivered(outcome: dict[str, Any]) -> bool:
    mails, notice = outcome["letters"], outcome["notice"]
    is_delivered = any(fault is None for fault in mails) or bool(notice and notice["taken"])
    return is_delivered and not any(mails) and (notice is None or notice["taken"])


def _print_outcome(console: Console, outcome: dict[str, Any]) -> None:
    mails, notice = outcome["letters"], outcome["notice"]
    accepted = sum(fault is None for fault in mails)
    console.print(f"mail: {accepted} of {len(mails)} mails accepted" if mails else "mail: no recipient")
    for fault in sorted({fault for fault in mails if fault}):
        console.print(f"  {fault}", soft_wrap=True)
    said = "CRATEWIRE_ALARM_URL is not set" if notice is None else notice["fault"] or "accepted"
    console.print(f"notice: {said}", soft_wrap=True)


def _print_alarms(console: Console, found: Sequence[AlarmRow]) -> None:
    if not found:
        console.print("There have been no alarms.")
        return
    table = make_table("id", "since", "sent", "ended", "alarm")
    for alarm in found:
        is_open = "set aside" if alarm.is_set_aside else "open"
        table.add_row(
            str(alarm.id),
            format_short_time(alarm.since),
            format_short_time(alarm.told_at),
            format_short_time(alarm.ended_at) or is_open,
            build_sentence(alarm),
        )
    console.print(table)
    for alarm in found:
        if alarm.ended_at is None and alarm.tried:
            tried = "\n".join(f"- {sentence}" for sentence in alarm.tried)
            console.print(f"\nTried for {alarm.store or 'the public URL'}:\n{tried}", soft_wrap=True)
