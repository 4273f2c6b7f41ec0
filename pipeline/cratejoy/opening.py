"""Opens the Merchant API of a store whose keys are in the ledger, with the budget all processes share for it."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis
from sqlalchemy import Engine

from pipeline import keys
from pipeline.cratejoy.client import Cratejoy
from pipeline.cratejoy.credentials import Credentials, credentials_of
from pipeline.errors import Misconfigured
from pipeline.http import HTTP
from pipeline.lanes.budget import Budget
from pipeline.ledger.engine import reading
from pipeline.ledger.store_apis import find_api
from pipeline.secrets import unseal
from pipeline.settings import CRATEJOY_RATE

MARGIN = 0.025  # seconds by which one request to a store may be faster on its way than another


def open_store(
    engine: Engine,
    redis: Redis,
    secret_keys: Sequence[str],
    store_id: int,
    *,
    http: HTTP,
    per_second: float = CRATEJOY_RATE,
) -> Cratejoy:
    """The store's API. Raise Misconfigured if there are no keys for it. `per_second` is the setting `cratejoy_rate`."""
    with reading(engine) as db:
        found = find_api(db, store_id)
    if found is None:
        raise Misconfigured(f"store {store_id} is connected without Cratejoy's Client ID and Secret")
    return open_with(credentials_of(unseal(secret_keys, found.config)), redis, http=http, per_second=per_second)


def open_with(
    credentials: Credentials,
    redis: Redis,
    *,
    http: HTTP,
    per_second: float = CRATEJOY_RATE,
    urgent: bool = False,
) -> Cratejoy:
    """The API these keys are for, saved or not. The same keys share one budget, whoever uses them.

    `urgent`: goes before whoever reads the whole store, such as a backfill.
    """
    budget = Budget(redis, keys.budget("cratejoy", credentials.account), per_second, urgent=urgent, margin=MARGIN)
    return Cratejoy(credentials, http, budget)
