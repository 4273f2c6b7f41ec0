"""`cratewire connect`: does without a browser what a connect form does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from redis import RedisError
from rich.console import Console

from pipeline.backfill.progress import Progress, load_progress
from pipeline.context import Context
from pipeline.core.errors import CratewireError, Misconfigured, Unreachable, WrongAddress
from pipeline.cratejoy.credentials import BASE_URL, Credentials
from pipeline.destinations import DESTINATIONS
from pipeline.hook_registration.diff import FINDING_TEXTS
from pipeline.hook_registration.store_hooks import open_urgent_client
from pipeline.ledger.engine import reading
from pipeline.ledger.hook_findings import list_findings
from pipeline.operations.connect import ConnectRequest, ConnectResult, CredentialChecks
from pipeline.operations.connect import connect as connect_store
from receiver.cli.context import data_option, load_settings, migrate_database, open_context
from receiver.cli.output import json_option, report_errors, show
from receiver.cli.progress import describe_state
from receiver.cli.waiting import WaitBudget, sync_until_done

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FIELD_NAMES = re.compile(r"\b(client_id|client_secret|site_id|api_key|base_url)\b")
CONNECT_EXAMPLE = (
    "Example: cratewire connect --store acme --client-id CLIENT_ID --client-secret CLIENT_SECRET --platform customerio "
    "--site-id SITE_ID --api-key API_KEY --region us --currency USD"
)


def _with_option_names(error: Misconfigured) -> Misconfigured:
    """The same with options named as they are typed, not as they are kept."""
    return Misconfigured(_FIELD_NAMES.sub(lambda found: f"--{found[0].replace('_', '-')}", str(error)))


def _normalize_currency(text: str) -> str:
    """A currency as it is kept, however it was typed."""
    return text.strip().upper()


def platform_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option for every field any platform declares."""
    fields = {field.key: field for platform in DESTINATIONS.values() for field in platform.fields}
    for field in reversed(fields.values()):
        kind = click.Choice(field.choices) if field.choices else click.STRING
        variable = f"CRATEWIRE_CONNECT_{field.key.upper()}" if field.secret else None
        flag = f"--{field.key.replace('_', '-')}"
        command = click.option(flag, field.key, type=kind, help=field.help, envvar=variable)(command)
    return command


@click.command(epilog=CONNECT_EXAMPLE)
@click.option("--store", required=True, help="The store's name here: it becomes part of its hook URLs.")
@click.option("--platform", required=True, type=click.Choice(sorted(DESTINATIONS)), help="Where messages go.")
@click.option("--label", default="", help="Tells two connections of one store to one platform apart.")
@click.option(
    "--currency",
    type=_normalize_currency,
    metavar="CODE",
    help="The store's currency; Cratejoy's hooks name none. Default USD.",
)
@click.option(
    "--forward-also", multiple=True, metavar="EVENT", help="Forward an event that is only recorded by default."
)
@click.option("--forward-tests/--no-forward-tests", default=None, help="Forward test-mode objects too.")
@click.option("--client-id", help="Cratejoy's Client ID: with it and the Secret the hooks register themselves.")
@click.option("--client-secret", envvar="CRATEWIRE_CONNECT_CLIENT_SECRET", help="Cratejoy's Client Secret Key.")
@click.option("--cratejoy-url", default=BASE_URL, help="Only for another Merchant API than Cratejoy's, e.g. a sandbox.")
@click.option("--new-urls", is_flag=True, help="Make new hook URLs; the old ones are refused from now on.")
@platform_options
@data_option
@json_option
@report_errors
def connect(
    store: str, platform: str, label: str, data: Path | None, new_urls: bool, as_json: bool, **given: Any
) -> None:
    """Try all keys, save store and connection, and register the hooks with Cratejoy.

    Without Cratejoy's Client ID and Secret the hook URLs are printed instead, for you to register. Running it again
    updates the connection instead of making a second one. The URLs are secrets. A secret may also come from the
    environment, e.g. CRATEWIRE_CONNECT_API_KEY.
    """
    names = ("currency", "forward_also", "forward_tests")
    chosen = {name: value for name in names if (value := given.pop(name)) not in (None, ())}
    try:
        keys = _build_credentials(given.pop("client_id"), given.pop("client_secret"), given.pop("cratejoy_url"))
        config = {key: value for key, value in given.items() if value is not None}
        migrate_database(load_settings(data))
        with open_context(data) as here:
            done = _connect_and_register(here, ConnectRequest(store, platform, config, label, chosen, new_urls, keys))
    except Misconfigured as error:
        raise _with_option_names(error) from error
    document = {
        "store": store,
        "connection": done.found.connection_id,
        "account": done.found.account,
        "hooks": done.found.hooks,
        "registered": done.registered,
    }
    show(document, as_json=as_json, human=lambda console: _print_result(console, done, platform))


@dataclass(frozen=True, slots=True)
class _ConnectResult:
    """What was connected. `registered`: Cratejoy has all hooks; None: we have no keys to give it any.

    `customers`: how far they have been read, if Cratejoy's keys are there to read them with.
    """

    found: ConnectResult
    registered: bool | None
    trouble: str = ""
    customers: Progress | None = None


def _build_credentials(client_id: str | None, client_secret: str | None, url: str) -> Credentials | None:
    if not client_id and not client_secret:
        return None
    return Credentials(client_id or "", client_secret or "", url)


def _connect_and_register(context: Context, wanted: ConnectRequest) -> _ConnectResult:
    """Nothing is saved unless all keys are accepted; once it is saved, what goes wrong is tried again by itself."""
    patience = WaitBudget(lambda text: click.echo(text, err=True))
    settings = context.settings
    found = connect_store(
        context.engine,
        settings.secret_keys,
        settings.public_url,
        wanted,
        CredentialChecks(context.http, lambda keys: _check_store_keys(context, patience, keys)),
        context.now(),
    )
    if not found.registers_automatically:
        return _ConnectResult(found, None)
    try:
        sync_until_done(context, found.store.id, patience)
    except CratewireError as error:
        return _ConnectResult(found, registered=False, trouble=str(error))
    except RedisError:
        return _ConnectResult(
            found, registered=False, trouble="Redis does not answer, and the budget of requests is there"
        )
    with reading(context.engine) as db:
        customers = load_progress(db, found.store.id, context.now())
        left = [one for one in list_findings(db, found.store.id) if one.mended_at is None and one.kind != "foreign"]
    trouble = "; ".join(sorted({one.failure or FINDING_TEXTS[one.kind] for one in left}))
    return _ConnectResult(found, not left, trouble, customers)


def _check_store_keys(context: Context, wait_budget: WaitBudget, keys: Credentials) -> None:
    try:
        wait_budget.call_when_allowed(open_urgent_client(context, keys).check)
    except WrongAddress as error:
        raise WrongAddress(f"--cratejoy-url: {error}") from error
    except Unreachable as error:
        raise Unreachable(f"the store's API at {keys.base_url}: {error}") from error


def _print_result(console: Console, result: _ConnectResult, platform: str) -> None:
    found = result.found
    console.print(f"Connected store {found.store.name} to {platform} (account {found.account}).")
    if result.registered:
        console.print(f"All {len(found.hooks)} hooks are registered with Cratejoy, and looked after every few minutes.")
        if result.customers:
            console.print(describe_state(found.store.name, result.customers), soft_wrap=True)
    elif result.registered is False:
        console.print(f"Not all hooks are registered with Cratejoy yet: {result.trouble}.", soft_wrap=True)
        console.print(f"It is tried again by itself; see `cratewire hooks audit --store {found.store.name}`.")
    else:
        _print_urls(console, found)


def _print_urls(console: Console, found: ConnectResult) -> None:
    console.print("Register these URLs with Cratejoy, one hook per event, request type POST:\n")
    for event, url in found.hooks.items():
        console.print(f"  {event:<27} {url}", soft_wrap=True, highlight=False)
    if urlsplit(next(iter(found.hooks.values()))).hostname in LOOPBACK:
        console.print("\nCratejoy cannot reach this machine there: set CRATEWIRE_PUBLIC_URL and connect again.")
    console.print("\nWhoever knows a URL can send hooks: treat them as secrets.")
