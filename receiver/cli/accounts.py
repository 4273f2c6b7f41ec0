"""`cratewire accounts`: who may log in to the pages; for the operator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.core.roles import OWNER, ROLES, Role
from pipeline.ledger.accounts import (
    LastOwner,
    find_account,
    find_user,
    get_roles,
    list_accounts,
    list_members,
    remove_user,
    reset_second_factor,
)
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.invitations import list_invitations
from pipeline.ledger.stores import DEFAULT_ACCOUNT, ensure_account, list_stores
from receiver.cli.account_members import (
    account_option,
    log_command,
    record_account_action,
    remove_member_command,
    set_role_command,
    withdraw_command,
)
from receiver.cli.account_tokens import token
from receiver.cli.context import as_document, data_option, open_context
from receiver.cli.output import json_option, make_table, report_errors, show
from receiver.pages.accounts.send_invitation import InvitationRequest, send_invitation


@click.group()
def accounts() -> None:
    """Show who may log in and who did what, invite people, change roles, remove a user, and manage tokens."""


for command in (set_role_command, remove_member_command, withdraw_command, log_command, token):
    accounts.add_command(command)


@accounts.command(name="list", epilog="Example: cratewire accounts list --json")
@data_option
@json_option
@report_errors
def list_command(data: Path | None, as_json: bool) -> None:
    """List accounts with their stores and members."""
    with open_context(data) as context, reading(context.engine) as conn:
        stores = list_stores(conn)
        found = [
            {
                "account": name,
                "stores": [store.name for store in stores if store.account_id == account_id],
                "members": as_document(list_members(conn, account_id)),
                "invited": as_document(list_invitations(conn, account_id, context.now())),
            }
            for account_id, name in list_accounts(conn)
        ]
    show(found, as_json=as_json, render=lambda console: console.print(_build_table(found)))


@accounts.command(epilog="Example: cratewire accounts invite robin@example.com --role reader")
@click.argument("email")
@account_option
@click.option("--role", type=click.Choice(ROLES), default=OWNER, show_default=True, help="The role in the account.")
@data_option
@json_option
@report_errors
def invite(email: str, account: str, role: Role, data: Path | None, as_json: bool) -> None:
    """Invite a person to an account. The link is mailed and printed: treat it like a password.

    Stores connected on the command line belong to the account `default`.
    """
    if "@" not in email.strip("@"):
        raise Misconfigured("that is not a mail address")
    with open_context(data) as context:
        with writing(context.engine) as conn:
            account_id = (
                ensure_account(conn, account, context.now())
                if account == DEFAULT_ACCOUNT
                else find_account(conn, account)
            )
        if account_id is None:
            raise Misconfigured(f"no account {account}: see `cratewire accounts list`")
        link = send_invitation(
            context.engine, context.settings, InvitationRequest(account_id, email.strip(), role), context.now()
        )
    show(
        {"link": link},
        as_json=as_json,
        render=lambda console: console.print(f"Invited. The link: {link}", soft_wrap=True),
    )


@accounts.command(
    name="forget-second-factor", epilog="Example: cratewire accounts forget-second-factor bea@example.com"
)
@click.argument("email")
@data_option
@json_option
@report_errors
def forget_command(email: str, data: Path | None, as_json: bool) -> None:
    """Remove the second factor of a user.

    For users who have lost both their app and their recovery codes. Verify their identity first.
    """
    with open_context(data) as context, writing(context.engine) as conn:
        known = reset_second_factor(conn, email.strip())
        user_id = find_user(conn, email.strip())
        for account_id in get_roles(conn, user_id) if user_id else ():
            record_account_action(conn, account_id, "account.second_factor_removed", context.now(), {"user": user_id})
    if not known:
        raise Misconfigured("no user has that address")
    show({"forgotten": True}, as_json=as_json, render=lambda console: console.print("Removed."))


@accounts.command(name="remove", epilog="Example: cratewire accounts remove bea@example.com")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@data_option
@json_option
@report_errors
def remove_command(email: str, yes: bool, data: Path | None, as_json: bool) -> None:
    """Remove a user, with their log-ins and memberships.

    Their invitations and mails are removed too. Accounts without stores and members are deleted.
    The last owner of an account that has stores cannot be removed.
    """
    email = email.strip()
    if not yes and click.prompt("Type the address to remove it", default="", show_default=False, err=True) != email:
        raise CratewireError("that is not the address: nothing was removed")
    try:
        with open_context(data) as context, writing(context.engine) as conn:
            user_id = find_user(conn, email)
            account_ids = list(get_roles(conn, user_id)) if user_id else []
            known = remove_user(conn, email)
            for account_id in {number for number, _ in list_accounts(conn)}.intersection(account_ids):
                record_account_action(conn, account_id, "account.member_removed", context.now(), {"user": user_id})
    except LastOwner as error:
        raise Misconfigured(
            f"{error}. {_LAST_OWNER_ADVICE.format(account=error.account, store=error.stores[0])}"
        ) from None
    if not known:
        raise Misconfigured("no user has that address")
    show({"removed": True}, as_json=as_json, render=lambda console: console.print("Removed."))


_LAST_OWNER_ADVICE = (
    "Let another owner join first, `cratewire accounts invite NAME@EXAMPLE.COM --account {account}`, or remove its "
    "stores, `cratewire stores remove {store}`"
)


def _build_table(found: list[dict[str, Any]]) -> Table:
    table = make_table("account", "stores", "member", "role")
    for account in found:
        members = account["members"] or [{"email": "none", "role": ""}]
        for member in members:
            table.add_row(account["account"], ", ".join(account["stores"]), member["email"], member["role"])
        for row in account["invited"]:
            table.add_row(account["account"], ", ".join(account["stores"]), row["email"], f"{row['role']}, invited")
    return table
