"""`cratewire accounts`: who may log in to the pages, for whoever runs the installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from pipeline.core.errors import Misconfigured
from pipeline.ledger.accounts import OWNER, ROLES, Role, find_account, list_accounts, list_members, reset_second_factor
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import DEFAULT_ACCOUNT, ensure_account, list_stores
from receiver.cli.context import as_document, data_option, open_context
from receiver.cli.output import json_option, make_table, report_errors, show
from receiver.pages.accounts.send_invitation import InvitationRequest, send_invitation


@click.group()
def accounts() -> None:
    """Show who may log in, and invite somebody."""


@accounts.command(name="list", epilog="Example: cratewire accounts list --json")
@data_option
@json_option
@report_errors
def list_command(data: Path | None, as_json: bool) -> None:
    """List accounts with their stores and members."""
    with open_context(data) as here, reading(here.engine) as db:
        stores = list_stores(db)
        found = [
            {
                "account": name,
                "stores": [store.name for store in stores if store.account_id == account_id],
                "members": as_document(list_members(db, account_id)),
            }
            for account_id, name in list_accounts(db)
        ]
    show(found, as_json=as_json, human=lambda console: console.print(_build_table(found)))


@accounts.command(epilog="Example: cratewire accounts invite robin@example.com --role reader")
@click.argument("email")
@click.option(
    "--account", default=DEFAULT_ACCOUNT, show_default=True, help="Into this one; `accounts list` names them."
)
@click.option("--role", type=click.Choice(ROLES), default=OWNER, show_default=True, help="What they may do.")
@data_option
@json_option
@report_errors
def invite(email: str, account: str, role: Role, data: Path | None, as_json: bool) -> None:
    """Invite somebody into an account. The link goes by mail, and is printed: treat it as a password.

    Stores that were connected on the command line are in the account `default`.
    """
    if "@" not in email.strip("@"):
        raise Misconfigured("that is no mail address")
    with open_context(data) as here:
        with writing(here.engine) as db:
            account_id = (
                ensure_account(db, account, here.now()) if account == DEFAULT_ACCOUNT else find_account(db, account)
            )
        if account_id is None:
            raise Misconfigured(f"no account {account}: `cratewire accounts list` names them")
        link = send_invitation(
            here.engine, here.settings, InvitationRequest(account_id, email.strip(), role), here.now()
        )
    show(
        {"link": link},
        as_json=as_json,
        human=lambda console: console.print(f"Invited. The link: {link}", soft_wrap=True),
    )


@accounts.command(
    name="forget-second-factor", epilog="Example: cratewire accounts forget-second-factor bea@example.com"
)
@click.argument("email")
@data_option
@json_option
@report_errors
def forget_command(email: str, data: Path | None, as_json: bool) -> None:
    """Let the password alone suffice again.

    For somebody who has lost both app and recovery codes. Be sure who asks.
    """
    with open_context(data) as here, writing(here.engine) as db:
        known = reset_second_factor(db, email.strip())
    if not known:
        raise Misconfigured("nobody logs in with that address")
    show({"forgotten": True}, as_json=as_json, human=lambda console: console.print("Forgotten."))


def _build_table(found: list[dict[str, Any]]) -> Table:
    table = make_table("account", "stores", "member", "role")
    for account in found:
        members = account["members"] or [{"email": "nobody", "role": ""}]
        for member in members:
            table.add_row(account["account"], ", ".join(account["stores"]), member["email"], member["role"])
    return table
