"""`cratewire accounts set-role`, `remove-member`, `withdraw` and `log`: who may do what, and who did what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.core.roles import ROLES, Role
from pipeline.ledger.accounts import change_role, find_account, list_accounts, list_members, remove_member
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, About, record_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.invitations import list_invitations, revoke_invitation
from pipeline.ledger.queries.audit import ActionRow, list_actions
from pipeline.ledger.stores import DEFAULT_ACCOUNT
from receiver.audit_view import describe_about
from receiver.cli.context import as_document, data_option, open_context
from receiver.cli.output import format_short_time, json_option, make_table, report_errors, show

account_option = click.option(
    "--account", default=DEFAULT_ACCOUNT, show_default=True, help="The account; see `accounts list`."
)
_LOG_EXAMPLES = "Examples: cratewire accounts log; cratewire accounts log --account default --json"


@click.command(name="set-role", epilog="Example: cratewire accounts set-role robin@example.com operator")
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
@account_option
@data_option
@json_option
@report_errors
def set_role_command(email: str, role: Role, account: str, data: Path | None, as_json: bool) -> None:
    """Change a member's role in an account.

    An owner may do everything. An operator may send again, pause and resume, and set aside what needs attention. A
    reader sees everything and changes nothing. An account keeps at least one owner.
    """
    with open_context(data) as context, writing(context.engine) as conn:
        account_id, user_id = _find_member(conn, account, email)
        change_role(conn, account_id, user_id, role)
        record_account_action(conn, account_id, "account.role_changed", context.now(), {"user": user_id, "role": role})
    document = {"account": account, "email": email.strip(), "role": role}
    show(document, as_json=as_json, render=lambda console: console.print(f"{email.strip()}: {role}."))


@click.command(name="remove-member", epilog="Example: cratewire accounts remove-member robin@example.com")
@click.argument("email")
@account_option
@data_option
@json_option
@report_errors
def remove_member_command(email: str, account: str, data: Path | None, as_json: bool) -> None:
    """Remove a member from an account.

    The user can still log in. An account keeps at least one owner.
    """
    with open_context(data) as context, writing(context.engine) as conn:
        account_id, user_id = _find_member(conn, account, email)
        remove_member(conn, account_id, user_id)
        record_account_action(conn, account_id, "account.member_removed", context.now(), {"user": user_id})
    show({"removed": True}, as_json=as_json, render=lambda console: console.print("Removed."))


@click.command(name="withdraw", epilog="Example: cratewire accounts withdraw robin@example.com")
@click.argument("email")
@account_option
@data_option
@json_option
@report_errors
def withdraw_command(email: str, account: str, data: Path | None, as_json: bool) -> None:
    """Withdraw an invitation.

    Its link is no longer valid.
    """
    with open_context(data) as context, writing(context.engine) as conn:
        account_id = _get_account(conn, account)
        wanted = [
            row for row in list_invitations(conn, account_id, context.now()) if row.email == email.strip().lower()
        ]
        for row in wanted:
            revoke_invitation(conn, account_id, row.id)
            record_account_action(
                conn, account_id, "account.invitation_withdrawn", context.now(), {"invitation": row.id}
            )
    if not wanted:
        raise Misconfigured(f"account {account} has no open invitation of that address: see `cratewire accounts list`")
    show({"withdrawn": True}, as_json=as_json, render=lambda console: console.print("Withdrawn."))


@click.command(name="log", epilog=_LOG_EXAMPLES)
@click.option("--account", help="Only of this account; by default of all.")
@click.option("--before", type=click.IntRange(1), help="Only actions older than the one with this id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many actions.")
@data_option
@json_option
@report_errors
def log_command(account: str | None, before: int | None, limit: int, data: Path | None, as_json: bool) -> None:
    """Show the audit log: who did what, newest first.

    It has ids and no personal data of customers; members are named by their address.
    """
    with open_context(data) as context, reading(context.engine) as conn:
        account_ids = None if account is None else [_get_account(conn, account)]
        rows = list_actions(conn, account_ids, before=before, limit=limit)
        names = dict(list_accounts(conn))
    document = [
        {**as_document(row), "account": names[row.account_id], "who": row.who, "says": row.says} for row in rows
    ]
    show(
        document, as_json=as_json, render=lambda console: console.print(_build_log(rows) if rows else "No action yet.")
    )


def _get_account(conn: Connection, name: str) -> int:
    account_id = find_account(conn, name)
    if account_id is None:
        raise Misconfigured(f"no account {name}: see `cratewire accounts list`")
    return account_id


def _find_member(conn: Connection, account: str, email: str) -> tuple[int, int]:
    """Return the ids of the account and of its member with this address."""
    account_id = _get_account(conn, account)
    for member in list_members(conn, account_id):
        if member.email == email.strip().lower():
            return account_id, member.user_id
    raise Misconfigured(f"account {account} has no member with that address: see `cratewire accounts list`")


def record_account_action(conn: Connection, account_id: int, action: str, at: int, about: About) -> None:
    """Write an action of the command line into the audit log."""
    record_action(conn, account_id=account_id, actor=COMMAND_LINE_ACTOR, action=action, about=about, at=at)


def _build_log(rows: Sequence[ActionRow]) -> Table:
    table = make_table("when", "member", "what", "store", "about")
    for row in rows:
        table.add_row(format_short_time(row.at), row.who, row.says, row.store or "", describe_about(row.about))
    return table
