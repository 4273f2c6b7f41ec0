"""`cratewire accounts token`: the tokens of the API; for the operator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.ledger.accounts import find_account, list_accounts
from pipeline.ledger.api_tokens import (
    MAX_DAYS,
    SCOPES,
    NewToken,
    Scope,
    TokenRow,
    create_token,
    list_tokens,
    revoke_token,
)
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import DEFAULT_ACCOUNT, ensure_account
from receiver.cli.context import LARGEST_ID, as_document, data_option, format_time, open_context
from receiver.cli.output import json_option, make_table, report_errors, show


@click.group()
def token() -> None:
    """Make, list and revoke tokens of the API."""


@token.command(epilog='Example: cratewire accounts token new "nightly export" --scope read --days 30')
@click.argument("name")
@click.option("--account", default=DEFAULT_ACCOUNT, show_default=True, help="The account; see `accounts list`.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    default=("read",),
    show_default=True,
    help="What it may do; may be given several times.",
)
@click.option("--days", type=click.IntRange(1, MAX_DAYS), default=90, show_default=True, help="After how many it ends.")
@data_option
@json_option
@report_errors
def new(name: str, account: str, scopes: tuple[Scope, ...], days: int, data: Path | None, as_json: bool) -> None:
    """Make a token and print it, once. NAME says what it is for.

    It does not depend on a member of the account.
    """
    with open_context(data) as context, writing(context.engine) as conn:
        account_id = _find_account(conn, account, context.now())
        wanted = NewToken(account_id, name, scopes, days)
        keys, now = context.settings.secret_keys, context.now()
        text = create_token(conn, keys, wanted, context.rng, COMMAND_LINE_ACTOR, now)
    show({"token": text}, as_json=as_json, render=lambda console: console.print(text, soft_wrap=True, highlight=False))


@token.command(name="list", epilog="Example: cratewire accounts token list --json")
@data_option
@json_option
@report_errors
def list_command(data: Path | None, as_json: bool) -> None:
    """List tokens, also those that have ended; never their secrets."""
    with open_context(data) as context, reading(context.engine) as conn:
        accounts = dict(list_accounts(conn))
        found = list_tokens(conn, accounts)
        now = context.now()
    rows = [{**as_document(row), "account": accounts[row.account_id], "valid": row.is_valid(now)} for row in found]
    show(rows, as_json=as_json, render=lambda console: console.print(_build_table(rows) if rows else "No token."))


@token.command(epilog="Example: cratewire accounts token revoke 3")
@click.argument("token_id", metavar="ID", type=click.IntRange(1, LARGEST_ID))
@data_option
@json_option
@report_errors
def revoke(token_id: int, data: Path | None, as_json: bool) -> None:
    """Revoke a token. It counts for nothing from the next request on."""
    with open_context(data) as context, writing(context.engine) as conn:
        account_id = _find_account_of_token(conn, token_id)
        done = account_id is not None and revoke_token(conn, account_id, token_id, COMMAND_LINE_ACTOR, context.now())
    if not done:
        raise Misconfigured(f"no token {token_id} that could be revoked: see `cratewire accounts token list`")
    show({"revoked": token_id}, as_json=as_json, render=lambda console: console.print("Revoked."))


def _find_account(conn: Connection, name: str, now: int) -> int:
    found = ensure_account(conn, name, now) if name == DEFAULT_ACCOUNT else find_account(conn, name)
    if found is None:
        raise Misconfigured(f"no account {name}: see `cratewire accounts list`")
    return found


def _find_account_of_token(conn: Connection, token_id: int) -> int | None:
    rows: list[TokenRow] = list_tokens(conn, [account_id for account_id, _ in list_accounts(conn)])
    return next((row.account_id for row in rows if row.id == token_id), None)


def _build_table(rows: list[dict[str, Any]]) -> Table:
    table = make_table("id", "account", "begins with", "scopes", "ends", "last used", "for")
    for row in rows:
        ends = format_time(row["expires_at"]) if row["revoked_at"] is None else "revoked"
        cells = (str(row["id"]), row["account"], row["prefix"], " ".join(row["scopes"]), ends)
        table.add_row(*cells, format_time(row["last_used_at"]) or "never", row["name"])
    return table
