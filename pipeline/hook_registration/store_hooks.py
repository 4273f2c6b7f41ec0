"""What tending a store's hooks needs: from outside, and of the store itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from redis import Redis
from sqlalchemy import Engine

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.credentials import Credentials, parse_credentials
from pipeline.cratejoy.factory import build_client
from pipeline.hook_registration.urls import build_hook_urls
from pipeline.infra.crypto.encryption import decrypt
from pipeline.infra.http.client import get_merchant_http
from pipeline.ledger.engine import reading
from pipeline.ledger.store_apis import StoreAPIRow, find_store_api
from pipeline.ledger.stores import StoreRow, get_store


@dataclass(frozen=True, slots=True)
class SyncContext:
    """From outside. `open_api`: the client for a store's keys."""

    engine: Engine
    redis: Redis
    secret_keys: Sequence[str]
    public_url: str
    open_api: Callable[[Credentials], CratejoyClient]
    now: Callable[[], int]  # µs


@dataclass(frozen=True, slots=True)
class StoreHooks:
    """A store whose hooks are tended. `urls`: event -> the address its hook should have."""

    store: StoreRow
    row: StoreAPIRow
    api: CratejoyClient
    api_url: str
    urls: dict[str, str]


def build_sync_context(here: Context) -> SyncContext:
    """What tending needs of it."""
    settings = here.settings
    http = get_merchant_http(anywhere=settings.connect_anywhere)
    open_api = partial(build_client, redis=here.redis, http=http, per_second=settings.cratejoy_rate, urgent=True)
    return SyncContext(here.engine, here.redis, settings.secret_keys, settings.public_url, open_api, here.now)


def open_store_hooks(context: SyncContext, store_id: int) -> StoreHooks:
    """The store as it is now. Raise Misconfigured if it is gone, or if there are no keys for it."""
    with reading(context.engine) as db:
        store, row = get_store(db, store_id), find_store_api(db, store_id)
    if store is None or row is None:
        raise Misconfigured(f"store {store_id} is connected without Cratejoy's Client ID and Secret")
    credentials = parse_credentials(decrypt(context.secret_keys, row.config))
    urls = build_hook_urls(context.secret_keys, context.public_url, store.name, store.token_version)
    return StoreHooks(store, row, context.open_api(credentials), credentials.base_url, urls)
