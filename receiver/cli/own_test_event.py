"""`cratewire events test`: sends a test event to an own address, and says when it has arrived."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import click
from rich.console import Console

from pipeline.context import Context
from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.ledger.accounts import is_confirmed, list_members
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.connections import ConnectionRow
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import EventDetail, get_event
from pipeline.ledger.stores import StoreRow
from pipeline.operations.own_test_event import TEST_EVENT, TestEvent, send_test_event
from receiver.cli.connection_people import choose_connection
from receiver.cli.context import as_document, data_option, get_named_store, open_context
from receiver.cli.output import format_latency, json_option, report_errors, show

_POLL_INTERVAL_S = 0.2


@click.command(name="test", epilog="Example: cratewire events test --store acme --to bea@example.com")
@click.option("--store", required=True, help="The store's name.")
@click.option("--to", "email", required=True, help="Your own address: of a member of the store's account.")
@click.option("--platform", help="Over the connection to this platform only.")
@click.option("--label", default="", help="The label of that connection, if it has one.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", type=click.FloatRange(0), default=30.0, show_default=True, help="For how many seconds at most.")
@data_option
@json_option
@report_errors
def test_command(store: str, email: str, yes: bool, wait: float, data: Path | None, as_json: bool, **only: str) -> None:
    """Send a test event to your own address.

    It is called cratewire_test and marked as a test, so that it starts no campaign by mistake.
    """
    with open_context(data) as context:
        row = _check(context, store, email)
        connection = _choose(context, store, only)
        goes_to = connection.platform if connection else f"every platform of {row.name}"
        _require_confirmation(goes_to, email, yes=yes)
        now, keys = context.now(), context.settings.secret_keys
        test = TestEvent(
            row.name, email, context.make_nonce(), now, COMMAND_LINE_ACTOR, keys, connection.id if connection else None
        )
        with writing(context.engine) as conn:
            event_id = send_test_event(conn, test)
        found = _wait_until_sent(context, event_id, now + round(wait * 1_000_000))
    show(as_document(found), as_json=as_json, render=lambda console: _print(console, found))


test_command.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test


def _check(context: Context, name: str, email: str) -> StoreRow:
    """Return the store. Raise Misconfigured unless the address is of a member of its account, or of an operator."""
    with reading(context.engine) as conn:
        store = get_named_store(conn, name)
        members = {member.email for member in list_members(conn, store.account_id)}
        is_own = email.lower() in members and is_confirmed(conn, email)
    if not is_own and email not in context.settings.operator_mail:
        raise Misconfigured(
            "a test event goes only to an own address: of a confirmed member of the store's account "
            "(`cratewire accounts list`), or one of CRATEWIRE_OPERATOR_MAIL"
        )
    return store


def _choose(context: Context, store: str, only: Mapping[str, str]) -> ConnectionRow | None:
    if not only["platform"] and not only["label"]:
        return None
    with reading(context.engine) as conn:
        return choose_connection(conn, store, only["platform"], only["label"])


def _require_confirmation(goes_to: str, email: str, *, yes: bool) -> None:
    click.echo(
        f"This sends an event {TEST_EVENT}, marked as a test, about {email} to {goes_to}. If no "
        "person with this address is there, a profile with it is created.",
        err=True,
    )
    if not yes and not click.confirm("Send it?", err=True):
        raise CratewireError("not confirmed: nothing was sent")


def _wait_until_sent(context: Context, event_id: int, until: int) -> EventDetail:
    while True:
        with reading(context.engine) as conn:
            found = get_event(conn, event_id)
        if found is None:
            raise CratewireError(f"event {event_id} is gone")
        if context.now() >= until or all(one.done_at is not None for one in found.deliveries):
            return found
        time.sleep(_POLL_INTERVAL_S)


def _print(console: Console, found: EventDetail) -> None:
    for one in found.deliveries:
        if one.kind != "event":
            continue
        took = "" if one.done_at is None else f" after {format_latency(one.done_at - found.event.received_at)}"
        said = {"sent": f"at {one.platform}{took}", "dead": f"refused by {one.platform}: {one.reason}"}
        console.print(f"Event {found.event.id}: {said.get(one.status, f'waits for {one.platform}')}.", highlight=False)
