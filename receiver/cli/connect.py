"""`cratewire connect`: does what the connect form does, without a browser."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from pipeline.ledger.connection_people import PeopleRow, find_people
from pipeline.ledger.engine import reading
from pipeline.ledger.hook_findings import list_findings
from pipeline.ledger.sources import SourceSample
from pipeline.ledger.stores import find_store
from pipeline.operations.connect import ConnectRequest, ConnectResult, CredentialChecks, OriginAnswer, validate_request
from pipeline.operations.connect import connect as connect_store
from pipeline.operations.read_sources import read_sources
from receiver.cli.context import data_option, load_settings, migrate_database, open_context
from receiver.cli.output import json_option, make_console, report_errors, show
from receiver.cli.progress import describe_state
from receiver.cli.store_settings import print_samples
from receiver.cli.waiting import WaitBudget, sync_until_done

MAX_DOCUMENT_BYTES = 64_000  # of a file that an option names
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FIELD_NAMES = re.compile(r"\b(client_id|client_secret|site_id|api_key|base_url)\b")
CONNECT_EXAMPLE = (
    "Example: cratewire connect --store acme --client-id CLIENT_ID --client-secret CLIENT_SECRET --platform customerio "
    "--site-id SITE_ID --api-key API_KEY --region us --currency USD"
)


def _with_option_names(error: Misconfigured) -> Misconfigured:
    """Replace field names in the message by the options that set them."""
    return Misconfigured(_FIELD_NAMES.sub(lambda found: f"--{found[0].replace('_', '-')}", str(error)))


def _normalize_currency(text: str) -> str:
    """Return a currency in the form in which it is saved."""
    return text.strip().upper()


def _join_helps(helps: Mapping[str, str]) -> str:
    """Return the help of an option that several platforms have, for each of them if they differ."""
    if len(set(helps.values())) == 1:
        return next(iter(helps.values()))
    said = {title: text for title, text in helps.items() if text}
    return " ".join(text if text.startswith(title) else f"{title}: {text}" for title, text in said.items())


def _read_file(_context: click.Context, option: click.Parameter, path: Path | None) -> str | None:
    """Return the text of a file."""
    if path is None:
        return None
    if path.stat().st_size > MAX_DOCUMENT_BYTES:
        raise click.BadParameter(f"is longer than {MAX_DOCUMENT_BYTES} bytes", param=option)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise click.BadParameter("is not a text in UTF-8", param=option) from error


def platform_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for every field that a platform declares."""
    fields = {field.key: field for platform in DESTINATIONS.values() for field in platform.fields}
    helps: dict[str, dict[str, str]] = {}  # key -> platform -> help
    for platform in DESTINATIONS.values():
        for field in platform.fields:
            helps.setdefault(field.key, {})[platform.title] = field.help
    for field in reversed(fields.values()):
        kind = click.Choice(field.choices) if field.choices else click.STRING
        variable = f"CRATEWIRE_CONNECT_{field.key.upper()}" if field.secret else None
        flag = f"--{field.key.replace('_', '-')}"
        how: dict[str, Any] = {"type": kind, "help": _join_helps(helps[field.key]), "envvar": variable}
        if field.is_document:
            file = click.Path(exists=True, dir_okay=False, path_type=Path)
            how |= {"type": file, "callback": _read_file, "metavar": "FILE"}
        command = click.option(flag, field.key, **how)(command)
    return command


@click.command(epilog=CONNECT_EXAMPLE)
@click.option("--store", required=True, help="The store's name in Cratewire; part of its hook URLs.")
@click.option(
    "--platform", required=True, type=click.Choice(sorted(DESTINATIONS)), help="The platform to send messages to."
)
@click.option("--label", default="", help="Distinguishes two connections of a store to the same platform.")
@click.option(
    "--currency",
    type=_normalize_currency,
    metavar="CODE",
    help="The store's currency, which hooks do not name. Default USD.",
)
@click.option(
    "--forward-also", multiple=True, metavar="EVENT", help="Also forward an event that by default is only recorded."
)
@click.option("--forward-tests/--no-forward-tests", default=None, help="Forward test-mode objects too.")
@click.option(
    "--client-id", help="Cratejoy's Client ID; with it and the Secret the hooks are registered automatically."
)
@click.option("--client-secret", envvar="CRATEWIRE_CONNECT_CLIENT_SECRET", help="Cratejoy's Client Secret Key.")
@click.option("--cratejoy-url", default=BASE_URL, help="The URL of another Merchant API, e.g. a sandbox.")
@click.option(
    "--marketplace-source", multiple=True, metavar="VALUE", help="Orders with this `source` are Marketplace orders."
)
@click.option("--storefront-source", multiple=True, metavar="VALUE", help="Orders with this `source` are not.")
@click.option(
    "--read-customers",
    type=click.Choice(("now", "later")),
    default="now",
    show_default=True,
    help="Later: after `cratewire backfill resume`, once campaigns that start with a segment are paused.",
)
@click.option(
    "--people/--no-people",
    "sends_people",
    default=True,
    show_default=True,
    help="Send the people whom the store has by now to a platform that is connected later.",
)
@click.option("--new-urls", is_flag=True, help="Make new hook URLs and reject the old ones from now on.")
@platform_options
@data_option
@json_option
@report_errors
def connect(
    store: str, platform: str, label: str, data: Path | None, new_urls: bool, as_json: bool, **given: Any
) -> None:
    """Check all keys, save store and connection, and register the hooks with Cratejoy.

    Without Cratejoy's Client ID and Secret the hook URLs are printed for you to register. Running it again
    updates the connection. The URLs are secrets. A secret may also come from the
    environment, e.g. CRATEWIRE_CONNECT_API_KEY.
    """
    names = ("currency", "forward_also", "forward_tests")
    chosen = {name: value for name in names if (value := given.pop(name)) not in (None, ())}
    reads_customers = given.pop("read_customers") == "now"
    sends_people = given.pop("sends_people")
    given_sources = given.pop("marketplace_source"), given.pop("storefront_source")
    try:
        keys = _build_credentials(given.pop("client_id"), given.pop("client_secret"), given.pop("cratejoy_url"))
        config = {key: value for key, value in given.items() if value is not None}
        migrate_database(load_settings(data))
        with open_context(data) as context:
            request = ConnectRequest(store, platform, config, label, chosen, new_urls, keys)
            request = replace(request, reads_customers=reads_customers, sends_people=sends_people)
            answered = OriginAnswer((), given_sources[0], given_sources[1])
            result = _connect_and_register(context, request, answered, asks=sys.stdin.isatty() and not as_json)
            with reading(context.engine) as conn:
                result = replace(result, people=find_people(conn, result.found.connection_id))
    except Misconfigured as error:
        raise _with_option_names(error) from error
    document = {
        "store": store,
        "connection": result.found.connection_id,
        "account": result.found.account,
        "hooks": result.found.hooks,
        "registered": result.registered,
    }
    show(document, as_json=as_json, render=lambda console: _print_result(console, result, platform))


@dataclass(frozen=True, slots=True)
class _ConnectResult:
    """What was connected. `registered`: whether Cratejoy has all hooks; None without Cratejoy's keys.

    `customers`: the progress of the backfill, if Cratejoy's keys are saved. `people`: of a connection that came later.
    """

    found: ConnectResult
    registered: bool | None
    trouble: str = ""
    customers: Progress | None = None
    people: PeopleRow | None = None


def _build_credentials(client_id: str | None, client_secret: str | None, url: str) -> Credentials | None:
    if not client_id and not client_secret:
        return None
    return Credentials(client_id or "", client_secret or "", url)


def _connect_and_register(
    context: Context, request: ConnectRequest, answered: OriginAnswer, *, asks: bool
) -> _ConnectResult:
    """Save only if all keys are accepted. What fails after that is retried automatically.

    `asks`: whether a person is there to be asked what the values of `source` mean.
    """
    wait_budget = WaitBudget(lambda text: click.echo(text, err=True))
    settings = context.settings
    validate_request(request)
    if request.cratejoy is not None:
        _check_store_keys(context, wait_budget, request.cratejoy)
        request = replace(request, origins=_read_origins(context, wait_budget, request, answered, asks=asks))
    found = connect_store(
        context.engine,
        settings.secret_keys,
        settings.public_url,
        request,
        CredentialChecks(context.http),
        context.now(),
    )
    if not found.registers_automatically:
        return _ConnectResult(found, None)
    try:
        sync_until_done(context, found.store.id, wait_budget)
    except CratewireError as error:
        return _ConnectResult(found, registered=False, trouble=str(error))
    except RedisError:
        return _ConnectResult(
            found, registered=False, trouble="Redis does not answer, and the rate limit of requests is stored there"
        )
    with reading(context.engine) as conn:
        customers = load_progress(conn, found.store.id, context.now())
        open_findings = [
            finding
            for finding in list_findings(conn, found.store.id)
            if finding.mended_at is None and finding.kind != "foreign"
        ]
    trouble = "; ".join(sorted({finding.failure or FINDING_TEXTS[finding.kind] for finding in open_findings}))
    return _ConnectResult(found, not open_findings, trouble, customers)


def _read_origins(
    context: Context, wait_budget: WaitBudget, request: ConnectRequest, answered: OriginAnswer, *, asks: bool
) -> OriginAnswer:
    """Read which values the last orders have, and have those explained that are not known yet. It may fail."""
    assert request.cratejoy is not None  # noqa: S101 the caller has checked it
    api = open_urgent_client(context, request.cratejoy)
    try:
        samples = read_sources(api, wait_budget.call_when_allowed, context.now())
    except (CratewireError, RedisError) as error:
        click.echo(f"The last orders could not be read ({error}); see `cratewire stores show` later.", err=True)
        samples = []
    with reading(context.engine) as conn:
        store = find_store(conn, request.store)
    known = {*answered.marketplace, *answered.storefront}
    known |= {*(store.marketplace_sources or ()), *(store.storefront_sources or ())} if store else set()
    unknown = [sample for sample in samples if sample.value not in known]
    marketplace, storefront = [*answered.marketplace], [*answered.storefront]
    if unknown:
        print_samples(make_console(stderr=True), unknown)
        marketplace, storefront = ask_origins(unknown, marketplace, storefront, request.store, asks=asks)
    return OriginAnswer(samples, marketplace, storefront)


def ask_origins(
    unknown: Sequence[SourceSample], marketplace: list[str], storefront: list[str], store: str, *, asks: bool
) -> tuple[list[str], list[str]]:
    """Have each value explained, or say how to do that later. Returns the Marketplace and the storefront values."""
    click.echo("Look up one order of each value in Cratejoy: did it come from Cratejoy's Marketplace?", err=True)
    for sample in unknown if asks else ():
        answer = click.prompt(
            f"source {sample.value}: [m]arketplace, [s]torefront, or [l]ater",
            type=click.Choice(["m", "s", "l"]),
            default="l",
            err=True,
        )
        {"m": marketplace, "s": storefront}.get(answer, []).append(sample.value)
    if not asks or len(marketplace) + len(storefront) < len(unknown):
        click.echo(
            "Until it is answered, nothing is sent about people known only from such orders: "
            f"`cratewire stores set {store} --marketplace-source VALUE --storefront-source VALUE`",
            err=True,
        )
    return marketplace, storefront


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
        console.print(f"All {len(found.hooks)} hooks are registered with Cratejoy and checked every few minutes.")
        if result.people is None and result.customers:
            console.print(describe_state(found.store.name, result.customers), soft_wrap=True)
    elif result.registered is False:
        console.print(f"Not all hooks are registered with Cratejoy yet: {result.trouble}.", soft_wrap=True)
        console.print(f"It is retried automatically; see `cratewire hooks audit --store {found.store.name}`.")
    else:
        _print_urls(console, found)
    if result.people is not None:
        follow = f"The people there are follow, their profiles only: {result.people.total} to look at."
        shown = f"`cratewire connections people --store {found.store.name} --platform {platform}` shows how far it is."
        console.print(follow, shown, soft_wrap=True, highlight=False)


def _print_urls(console: Console, found: ConnectResult) -> None:
    console.print("Register these URLs with Cratejoy, one hook per event, request type POST:\n")
    for event, url in found.hooks.items():
        console.print(f"  {event:<27} {url}", soft_wrap=True, highlight=False)
    if urlsplit(next(iter(found.hooks.values()))).hostname in LOOPBACK:
        console.print("\nCratejoy cannot reach this URL: set CRATEWIRE_PUBLIC_URL and connect again.")
    console.print("\nAnyone who knows a URL can send hooks: treat the URLs as secrets.")
