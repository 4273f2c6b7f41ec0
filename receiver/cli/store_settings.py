"""`cratewire stores set`: whose data a store forwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from sqlalchemy import Connection

from pipeline.core.consent import COMMAND_LINE, GIFT_RECIPIENT_POLICIES, MARKETPLACE_POLICIES
from pipeline.core.errors import CratewireError
from pipeline.core.plural import pluralize
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, record_store_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.sources import SourceSample
from pipeline.ledger.stores import StoreRow
from pipeline.operations.connect import OriginAnswer, add_origins
from pipeline.operations.consent import set_gift_recipients, set_marketplace_policy
from receiver.cli.context import as_document, data_option, format_time, get_named_store, open_context
from receiver.cli.output import json_option, report_errors, show
from receiver.consent_view import ConsentView, describe_example, load_consent_view

_POLICY_OPTIONS = [policy.replace("_", "-") for policy in MARKETPLACE_POLICIES]
_EXAMPLES = (
    "Examples: cratewire stores set acme --marketplace-source 2 --storefront-source 1; cratewire stores set acme "
    "--marketplace profile-without-address"
)
CONFIRMATION = (
    "With this, the names and addresses of customers who bought on Cratejoy's Marketplace are sent to your platform. "
    "Cratejoy forbids that without their consent. You say that they have agreed."
)


@click.command(name="set", epilog=_EXAMPLES)
@click.argument("name")
@click.option("--marketplace", type=click.Choice(_POLICY_OPTIONS), help="What leaves about Marketplace customers.")
@click.option("--consent-confirmed", is_flag=True, help="With `--marketplace forward`: they agreed; do not ask.")
@click.option("--marketplace-source", multiple=True, metavar="VALUE", help="Orders with this `source` are Marketplace.")
@click.option("--storefront-source", multiple=True, metavar="VALUE", help="Orders with this `source` are not.")
@click.option("--gift-recipients", type=click.Choice(GIFT_RECIPIENT_POLICIES), help="Whether they get a profile.")
@data_option
@json_option
@report_errors
def set_command(name: str, data: Path | None, as_json: bool, **given: Any) -> None:
    """Set whose data a store forwards. Each change is kept with its time.

    Values of `source` are added to those that were answered before. Without options it shows what is set.
    """
    if given["marketplace"] == "forward" and not given["consent_confirmed"]:
        _require_confirmation()
    with open_context(data) as context:
        with writing(context.engine) as conn:
            store = get_named_store(conn, name)
            _change(conn, store, given, context.now())
            if any(given[option] for option in given):
                record_store_action(conn, store.id, COMMAND_LINE_ACTOR, "store.consent_changed", context.now())
        with reading(context.engine) as conn:
            consent = load_consent_view(conn, get_named_store(conn, name))
    show(as_document(consent), as_json=as_json, render=lambda console: print_consent(console, consent))


def _change(conn: Connection, store: StoreRow, given: Mapping[str, Any], now: int) -> None:
    wanted = (given["marketplace"] or "").replace("-", "_")
    for policy in MARKETPLACE_POLICIES:
        if policy == wanted:
            set_marketplace_policy(conn, store.id, policy, COMMAND_LINE, now)
    add_origins(conn, store.id, OriginAnswer((), given["marketplace_source"], given["storefront_source"]), now)
    if given["gift_recipients"] is not None:
        set_gift_recipients(conn, store.id, given["gift_recipients"], COMMAND_LINE, now)


def _require_confirmation() -> None:
    click.echo(CONFIRMATION, err=True)
    if click.prompt("Type `they agreed` to confirm", default="", show_default=False, err=True) != "they agreed":
        raise CratewireError("not confirmed: nothing was changed")


def print_consent(console: Console, consent: ConsentView) -> None:
    """Print what is set, one line each, and the values that wait for an answer with examples."""
    decided = f", set by {consent.marketplace_by} on {format_time(consent.marketplace_at)} UTC"
    lines = [
        ("Marketplace", consent.says + (decided if consent.marketplace_at else "")),
        ("  sources", _list_values(consent.marketplace_sources)),
        ("storefront", _list_values(consent.storefront_sources)),
        ("gift recipients", consent.gift_recipients),
    ]
    for name, value in lines:
        console.print(f"{name + ':':<16} {value}", soft_wrap=True, highlight=False)
    unanswered = [sample for sample in consent.met_sources if sample.value in consent.unanswered_sources]
    if unanswered:
        console.print("Not answered: is each of these Marketplace or storefront?", soft_wrap=True)
        print_samples(console, unanswered)


def print_samples(console: Console, samples: Sequence[SourceSample]) -> None:
    """Print each value with its counts and examples."""
    for sample in samples:
        counts = f"{pluralize(sample.orders, 'order')}, {pluralize(sample.subscriptions, 'subscription')}; "
        is_counted = sample.orders or sample.subscriptions  # while connecting, not in a later hook
        examples = ", ".join(map(describe_example, sample.examples))
        says = f"  source {sample.value}: {counts if is_counted else ''}for example {examples}"
        console.print(says, soft_wrap=True, highlight=False)


def _list_values(values: Sequence[str] | None) -> str:
    return "not answered" if values is None else ", ".join(values) or "none"
