"""Opens the Merchant API of a store whose keys are in the ledger, with the budget all processes share for it."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis
from sqlalchemy import Engine

from pipeline.core.errors import Misconfigured
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.credentials import Credentials, parse_credentials
from pipeline.infra import redis_keys
from pipeline.infra.crypto.encryption import decrypt
from pipeline.infra.http.client import HTTPClient
from pipeline.infra.rate_limit.budget import Budget
from pipeline.ledger.engine import reading
from pipeline.ledger.store_apis import find_store_api
from pipeline.settings import DEFAULT_CRATEJOY_RATE

BUDGET_MARGIN_S = 0.025  # seconds by which one request to a store may be faster on its way than another


def open_store_client(
    engine: Engine,
    redis: Redis,
    secret_keys: Sequence[str],
    store_id: int,
    *,
    http: HTTPClient,
    per_second: float = DEFAULT_CRATEJOY_RATE,
) -> CratejoyClient:
    """The store's API. Raise Misconfigured if there are no keys for it. `per_second` is the setting `cratejoy_rate`."""
    with reading(engine) as db:
        found = find_store_api(db, store_id)
    if found is None:
        raise Misconfigured(f"store {store_id} is connected without Cratejoy's Client ID and Secret")
    return build_client(parse_credentials(decrypt(secret_keys, found.config)), redis, http=http, per_second=per_second)


def build_client(
    credentials: Credentials,
    redis: Redis,
    *,
    http: HTTPClient,
    per_second: float = DEFAULT_CRATEJOY_RATE,
    urgent: bool = False,
) -> CratejoyClient:
    """The API these keys are for, saved or not. The same keys share one budget, whoever uses them.

    `urgent`: goes before whoever reads the whole store, such as a backfill.
    """
    budget = Budget(
        redis, redis_keys.budget("cratejoy", credentials.account), per_second, urgent=urgent, margin=BUDGET_MARGIN_S
    )
    return CratejoyClient(credentials, http, budget)
