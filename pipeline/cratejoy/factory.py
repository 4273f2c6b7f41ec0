"""Opens the Merchant API of a store, with the request budget that all processes share for it."""

from __future__ import annotations

from redis import Redis

from pipeline.context import Context
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

BUDGET_MARGIN_S = 0.025  # by how much one request to a store may overtake the one before on the network


def open_store_client(context: Context, store_id: int, *, urgent: bool = False) -> CratejoyClient:
    """The API of a connected store. Raise Misconfigured if the ledger has no keys for it.

    `urgent`: see `build_client`.
    """
    with reading(context.engine) as conn:
        row = find_store_api(conn, store_id)
    if row is None:
        raise Misconfigured(f"store {store_id} is connected without Cratejoy's Client ID and Secret")
    config = decrypt(context.settings.secret_keys, row.config, row.identity)
    return open_client(context, parse_credentials(config), urgent=urgent)


def open_client(context: Context, credentials: Credentials, *, urgent: bool = False) -> CratejoyClient:
    """The API these keys are for, at the rate of the settings. `urgent`: see `build_client`."""
    return build_client(
        credentials, context.redis, http=context.http, per_second=context.settings.cratejoy_rate, urgent=urgent
    )


def build_client(
    credentials: Credentials,
    redis: Redis,
    *,
    http: HTTPClient,
    per_second: float = DEFAULT_CRATEJOY_RATE,
    urgent: bool = False,
) -> CratejoyClient:
    """The API these keys are for, saved or not. The same keys share one budget in all processes.

    `urgent`: its requests go before those that read a whole store, such as a backfill's.
    """
    budget = Budget(
        redis, redis_keys.budget("cratejoy", credentials.account), per_second, urgent=urgent, margin=BUDGET_MARGIN_S
    )
    return CratejoyClient(credentials, http, budget)
