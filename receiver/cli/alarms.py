"""`cratewire alarms`: everything that needed a person, and whether a mail or a notice would arrive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.context import Context
from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import AlarmRow, list_newest_alarms
from pipeline.ledger.owners import list_owner_emails
from pipeline.ledger.stores import find_store
from pipeline.mail.transport import MailMessage, open_mail_transport
from pipeline.monitoring.alert_webhook import derive_signing_secret, send_notice
from pipeline.monitoring.messages import AlertDigest, build_notice, build_sentence
from receiver.cli.context import as_document, data_option, open_context
from receiver.cli.output import format_short_time, json_option, make_table, report_errors, show

TEST_MAIL_TEXT = """This is a test. An alarm reaches you in the same way when a store's hooks stop or do not arrive.

{public_url}
"""


@click.group()
def alarms() -> None:
    """Show everything that needed a person, and test who is told."""


@alarms.command(name="list", epilog="Example: cratewire alarms list --json")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many at the most.")
@data_option
@json_option
@report_errors
def list_command(limit: int, data: Path | None, as_json: bool) -> None:
    """List alarms, the newest first; those without an end are open."""
    with open_context(data) as here, reading(here.engine) as db:
        found = list_newest_alarms(db, limit)
    show(as_document(found), as_json=as_json, human=lambda console: _print_alarms(console, found))


@alarms.command(name="test", epilog="Example: cratewire alarms test --store acme")
@click.option("--store", help="Write to the owners of this store; by default to all owners.")
@data_option
@json_option
@report_errors
def test_command(store: str | None, data: Path | None, as_json: bool) -> None:
    """Tell a test alarm, by mail and to the alarm URL.

    That is `CRATEWIRE_ALARM_URL`. The exit code is 0 only if somebody was told, and nobody could not be.
    """
    with open_context(data) as here:
        outcome = {"letters": _send_mails(here, _list_recipients(here, store)), "notice": _send_webhook(here)}
    show(outcome, as_json=as_json, human=lambda console: _print_outcome(console, outcome))
    raise SystemExit(0 if _is_delivered(outcome) else 1)


@alarms.command(name="secret", epilog="Example: cratewire alarms secret")
@data_option
@json_option
@report_errors
def secret_command(data: Path | None, as_json: bool) -> None:
    """Show the secret that notices are signed with.

    They go to `CRATEWIRE_ALARM_URL`. The secret follows from CRATEWIRE_SECRET_KEY. Give it to whatever receives the
    notices; docs/monitoring.md says how it checks them.
    """
    with open_context(data) as here:
        secret = derive_signing_secret(here.settings.secret_keys[0])
    show({"secret": secret}, as_json=as_json, human=lambda console: console.print(secret, soft_wrap=True))


def _list_recipients(here: Context, store: str | None) -> list[str]:
    with reading(here.engine) as db:
        found = find_store(db, store) if store else None
        if store and found is None:
            raise Misconfigured(f"no store {store}: see `cratewire status` for those there are")
        operator = here.settings.operator_mail
        return list(dict.fromkeys([*list_owner_emails(db, found.account_id if found else None), *operator]))


def _send_mails(here: Context, owners: Sequence[str]) -> list[str | None]:
    """Why each could not be written to; None: it was taken. At once, and not by way of the tasks."""
    settings = here.settings
    post = open_mail_transport(settings.smtp_url, settings.mail_from, settings.data_dir)
    faults: list[str | None] = []
    for owner in owners:
        try:
            post.send(
                MailMessage(owner, "A test alarm of Cratewire", TEST_MAIL_TEXT.format(public_url=settings.public_url))
            )
        except CratewireError as error:
            faults.append(str(error))
        else:
            faults.append(None)
    return faults


def _send_webhook(here: Context) -> dict[str, Any] | None:
    """What became of the notice; None if there is nowhere to tell it."""
    url = here.settings.alarm_url
    if not url:
        return None
    content = build_notice(AlertDigest(), here.now()) | {"type": "alarms.test"}
    fault = send_notice(here, url, f"msg_{here.make_nonce()}", content)
    return {"taken": fault is None, "fault": fault}


def _is_delivered(outcome: dict[str, Any]) -> bool:
    letters, notice = outcome["letters"], outcome["notice"]
    heard = any(fault is None for fault in letters) or bool(notice and notice["taken"])
    return heard and not any(letters) and (notice is None or notice["taken"])


def _print_outcome(console: Console, outcome: dict[str, Any]) -> None:
    letters, notice = outcome["letters"], outcome["notice"]
    taken = sum(fault is None for fault in letters)
    console.print(f"mail: {taken} of {len(letters)} letters taken" if letters else "mail: no owner to write to")
    for fault in sorted({fault for fault in letters if fault}):
        console.print(f"  {fault}", soft_wrap=True)
    said = "CRATEWIRE_ALARM_URL is not set" if notice is None else notice["fault"] or "taken"
    console.print(f"notice: {said}", soft_wrap=True)


def _print_alarms(console: Console, found: Sequence[AlarmRow]) -> None:
    if not found:
        console.print("There has been no alarm.")
        return
    table = make_table("since", "told", "ended", "what")
    for one in found:
        table.add_row(
            format_short_time(one.since),
            format_short_time(one.told_at),
            format_short_time(one.ended_at) or "open",
            build_sentence(one),
        )
    console.print(table)
    for one in found:
        if one.ended_at is None and one.tried:
            tried = "\n".join(f"- {sentence}" for sentence in one.tried)
            console.print(f"\nTried for {one.store or 'the way in'}:\n{tried}", soft_wrap=True)
