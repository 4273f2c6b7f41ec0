"""A store whose hooks are kept in order: its row, its API, and the URLs that its hooks should have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.collection import read_collection
from pipeline.cratejoy.credentials import Credentials, parse_credentials
from pipeline.cratejoy.factory import open_client
from pipeline.hook_registration.diff import Finding, diff_hooks
from pipeline.hook_registration.urls import build_hook_urls, build_target_parser, get_host, is_reachable_from
from pipeline.infra.crypto.encryption import decrypt
from pipeline.ledger.engine import reading
from pipeline.ledger.store_apis import StoreAPIRow, find_store_api
from pipeline.ledger.stores import StoreRow, get_store

OpenAPI = Callable[[Context, Credentials], CratejoyClient]


@dataclass(frozen=True, slots=True)
class StoreHooks:
    """A store whose hooks we register. `urls_by_event`: the URL that the hook of each event should have."""

    store: StoreRow
    api_row: StoreAPIRow
    api: CratejoyClient
    api_url: str
    urls_by_event: dict[str, str]


@dataclass(frozen=True, slots=True)
class HookAudit:
    """All hooks that are registered, and what is wrong with them."""

    hooks: list[dict[str, Any]]
    findings: list[Finding]


def open_urgent_client(context: Context, credentials: Credentials) -> CratejoyClient:
    """A client whose requests go before those of backfills: without hooks a store sends no event."""
    return open_client(context, credentials, urgent=True)


def open_store_hooks(context: Context, store_id: int, *, open_api: OpenAPI = open_urgent_client) -> StoreHooks:
    """The store as it is now. Raise Misconfigured if it is gone, or if there are no keys for it."""
    settings = context.settings
    with reading(context.engine) as conn:
        store, row = get_store(conn, store_id), find_store_api(conn, store_id)
    if store is None or row is None:
        raise Misconfigured(f"store {store_id} is connected without Cratejoy's Client ID and Secret")
    credentials = parse_credentials(decrypt(settings.secret_keys, row.config, row.identity))
    urls = build_hook_urls(settings.secret_keys, settings.public_url, store.name, store.token_version)
    return StoreHooks(store, row, open_api(context, credentials), credentials.base_url, urls)


def audit_hooks(context: Context, store_hooks: StoreHooks) -> HookAudit:
    """List a store's hooks at Cratejoy and compare them with those it should have. Raises what the store's API does."""
    settings = context.settings
    listed = read_collection(store_hooks.api, "hooks")
    hooks = [hook for page in listed.pages for hook in page.results]
    unreadable = [Finding("unreadable", hook_id=hook.id) for page in listed.pages for hook in page.unreadable]
    if listed.missing_count:
        unreadable.append(Finding("unlisted"))
    if store_hooks.api_row.registers and not is_reachable_from(settings.public_url, store_hooks.api_url):
        # Perhaps a copy of an installation on a developer's machine: the hooks belong to the real one and must stay.
        return HookAudit(hooks, [Finding("unreachable", host=get_host(settings.public_url)), *unreadable])
    parse_target = build_target_parser(settings.secret_keys, settings.public_url, store_hooks.store.name)
    wanted_urls = store_hooks.urls_by_event if store_hooks.api_row.registers else {}
    findings = diff_hooks(hooks, wanted_urls, parse_target, store_hooks.store.token_version)
    return HookAudit(hooks, [*findings, *unreadable])
