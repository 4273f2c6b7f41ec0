"""What tending a store's hooks needs: from outside, and of the store itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from redis import Redis
from sqlalchemy import Engine

from pipeline.cratejoy.client import Cratejoy
from pipeline.cratejoy.credentials import Credentials, credentials_of
from pipeline.cratejoy.here import Here
from pipeline.cratejoy.opening import open_with
from pipeline.errors import Misconfigured
from pipeline.http import outside
from pipeline.ledger.engine import reading
from pipeline.ledger.store_apis import StoreAPIRow, find_api
from pipeline.ledger.stores import StoreRow, get_store
from pipeline.registration.urls import hook_urls
from pipeline.secrets import unseal


@dataclass(frozen=True, slots=True)
class Care:
    """From outside. `open_api`: the client for a store's keys."""

    engine: Engine
    redis: Redis
    secret_keys: Sequence[str]
    public_url: str
    open_api: Callable[[Credentials], Cratejoy]
    now: Callable[[], int]  # µs


@dataclass(frozen=True, slots=True)
class Ward:
    """A store whose hooks are tended. `urls`: event -> the address its hook should have."""

    store: StoreRow
    row: StoreAPIRow
    api: Cratejoy
    api_url: str
    urls: dict[str, str]


def care_of(here: Here) -> Care:
    """What tending needs of it."""
    settings = here.settings
    http = outside(anywhere=settings.connect_anywhere)
    open_api = partial(open_with, redis=here.redis, http=http, per_second=settings.cratejoy_rate, urgent=True)
    return Care(here.engine, here.redis, settings.secret_keys, settings.public_url, open_api, here.now)


def open_ward(care: Care, store_id: int) -> Ward:
    """The store as it is now. Raise Misconfigured if it is gone, or if there are no keys for it."""
    with reading(care.engine) as db:
        store, row = get_store(db, store_id), find_api(db, store_id)
    if store is None or row is None:
        raise Misconfigured(f"store {store_id} is connected without Cratejoy's Client ID and Secret")
    credentials = credentials_of(unseal(care.secret_keys, row.config))
    urls = hook_urls(care.secret_keys, care.public_url, store.name, store.token_version)
    return Ward(store, row, care.open_api(credentials), credentials.base_url, urls)
