"""`cratewire connect`: does without a browser what a connect form does."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from rich.console import Console

from pipeline.connecting import Connected, Wanted
from pipeline.connecting import connect as connect_store
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.engine import make_engine
from pipeline.ledger.migrations import migrate
from receiver.cli.options import data_option, settings_of
from receiver.cli.output import json_option, show, speaks_plainly

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EXAMPLE = "Example: cratewire connect --store acme --platform customerio --site-id ID --api-key KEY --region eu"


def platform_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option for every field any platform declares."""
    fields = {field.key: field for platform in DESTINATIONS.values() for field in platform.fields}
    for field in reversed(fields.values()):
        kind = click.Choice(field.choices) if field.choices else click.STRING
        variable = f"CRATEWIRE_CONNECT_{field.key.upper()}" if field.secret else None
        flag = f"--{field.key.replace('_', '-')}"
        command = click.option(flag, field.key, type=kind, help=field.help, envvar=variable)(command)
    return command


@click.command(epilog=EXAMPLE)
@click.option("--store", required=True, help="The store's name here: it becomes part of its hook URLs.")
@click.option("--platform", required=True, type=click.Choice(sorted(DESTINATIONS)), help="Where messages go.")
@click.option("--label", default="", help="Tells two connections of one store to one platform apart.")
@click.option("--currency", help="The store's currency; Cratejoy's hooks name none. Default USD.")
@click.option(
    "--forward-also", multiple=True, metavar="EVENT", help="Forward an event that is only recorded by default."
)
@click.option("--forward-tests/--no-forward-tests", default=None, help="Forward test-mode objects too.")
@click.option("--new-urls", is_flag=True, help="Make new hook URLs; the old ones are refused from now on.")
@platform_options
@data_option
@json_option
@speaks_plainly
def connect(
    store: str, platform: str, label: str, data: Path | None, new_urls: bool, as_json: bool, **given: Any
) -> None:
    """Try the credentials, save store and connection, and print the hook URLs to register with Cratejoy.

    Running it again updates the connection instead of making a second one. The URLs are secrets. A secret may
    also come from the environment, e.g. CRATEWIRE_CONNECT_API_KEY.
    """
    settings = settings_of(data)
    names = ("currency", "forward_also", "forward_tests")
    chosen = {name: value for name in names if (value := given.pop(name)) not in (None, ())}
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate(settings.database_url)
    config = {key: value for key, value in given.items() if value is not None}
    wanted = Wanted(store, platform, config, label, chosen, new_urls)
    engine = make_engine(settings.database_url)
    found = connect_store(engine, settings.secret_keys, settings.public_url, wanted, time.time_ns() // 1000)
    document = {"store": store, "connection": found.connection_id, "account": found.account, "hooks": found.hooks}
    show(document, as_json=as_json, human=lambda console: _explain(console, found, platform))


def _explain(console: Console, found: Connected, platform: str) -> None:
    console.print(f"Connected store {found.store.name} to {platform} (account {found.account}).")
    console.print("Register these URLs with Cratejoy, one hook per event, request type POST:\n")
    for event, url in found.hooks.items():
        console.print(f"  {event:<27} {url}", soft_wrap=True, highlight=False)
    if urlsplit(next(iter(found.hooks.values()))).hostname in LOOPBACK:
        console.print("\nCratejoy cannot reach this machine there: set CRATEWIRE_PUBLIC_URL and connect again.")
    console.print("\nWhoever knows a URL can send hooks: treat them as secrets.")
