"""Connects a store to a platform: all keys are checked first, then saved encrypted.

After that the hooks are registered, and a backfill reads the store's customers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine

from pipeline.backfill.schedule import create_first_backfill
from pipeline.core.consent import COMMAND_LINE
from pipeline.core.errors import Misconfigured
from pipeline.cratejoy.credentials import Credentials
from pipeline.cratejoy.shared_keys import ensure_keys_unused
from pipeline.destinations import DESTINATIONS
from pipeline.destinations.base import CheckResult
from pipeline.events.catalogue import EVENTS
from pipeline.hook_registration.urls import build_hook_urls
from pipeline.infra.crypto import encryption
from pipeline.infra.http.client import HTTPClient
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, About, Actor, record_store_action
from pipeline.ledger.backfills import make_backfill_due, pause_backfill
from pipeline.ledger.connection_people import start_people
from pipeline.ledger.connections import (
    NewConnection,
    list_store_connections,
    save_connection,
    set_connection_config,
)
from pipeline.ledger.engine import writing
from pipeline.ledger.fence import lock_fence
from pipeline.ledger.sources import SourceSample, save_samples
from pipeline.ledger.store_apis import build_api_identity, find_store_api, request_hook_audit, save_store_api
from pipeline.ledger.stores import DEFAULT_ACCOUNT, StoreRow, find_store, get_store, rotate_token, save_store
from pipeline.operations.consent import answer_sources

STORE_NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MAX_LABEL_CHARS = 63
CURRENCY_PATTERN = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class OriginAnswer:
    """The values of `source` that were met, and which of them are said to be what; the others stay unanswered."""

    samples: Sequence[SourceSample]
    marketplace: Collection[str] = ()
    storefront: Collection[str] = ()
    decided_by: str = COMMAND_LINE


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """A request to connect, from a page or a command. `store_settings`: currency, forward_also, forward_tests.

    `rotate_urls`: revoke the hook URLs so far. `cratejoy`: the keys of the store's Merchant API; with them we register
    the hooks, without them a person does. `reads_customers`: False begins the first backfill paused, so that campaigns
    which start with a segment can be paused before. `sends_people`: a new connection of a store whose people are known
    gets their profiles, without a call to Cratejoy.
    """

    store: str
    platform: str
    config: Mapping[str, str]
    label: str = ""
    store_settings: Mapping[str, Any] | None = None
    rotate_urls: bool = False
    cratejoy: Credentials | None = None
    account: str = DEFAULT_ACCOUNT
    origins: OriginAnswer | None = None
    actor: Actor = COMMAND_LINE_ACTOR
    reads_customers: bool = True
    sends_people: bool = True


@dataclass(frozen=True, slots=True)
class ConnectResult:
    """The connected store. `hooks`: event -> the URL to register for it; each is a secret.

    `registers_automatically`: keys of the Merchant API are saved, and an audit that registers the hooks is due.
    """

    store: StoreRow
    connection_id: int
    account: str
    hooks: dict[str, str]
    registers_automatically: bool


@dataclass(frozen=True, slots=True)
class CredentialChecks:
    """How keys are checked: `http` calls the platform, `try_store_api` checks the keys of a Merchant API."""

    http: HTTPClient
    try_store_api: Callable[[Credentials], None] | None = None


def connect(
    engine: Engine,
    secret_keys: Sequence[str],
    public_url: str,
    request: ConnectRequest,
    checks: CredentialChecks,
    now: int,
) -> ConnectResult:
    """Connect the store, or update its connection.

    Raise Misconfigured, BadCredentials, WrongRegion, WrongAddress, Unreachable, or RateLimited from the store's API;
    nothing is saved then.
    """
    validate_request(request)
    if request.cratejoy is not None and checks.try_store_api is not None:
        checks.try_store_api(request.cratejoy)
    checked = DESTINATIONS[request.platform](request.config, checks.http).check()
    with writing(engine) as conn:
        return save_checked_connection(conn, secret_keys, public_url, request, checked, now)


def save_checked_connection(
    conn: Connection,
    secret_keys: Sequence[str],
    public_url: str,
    request: ConnectRequest,
    checked: CheckResult,
    now: int,
) -> ConnectResult:
    """Save checked keys. The hooks are registered, and a new store's customers read, once this is committed.

    Raise Misconfigured as `save_store` does, and KeysInUse if another store has these keys of Cratejoy.
    """
    lock_fence(conn, "connecting")  # of two concurrent requests with the same keys, the second must see the first
    is_new = find_store(conn, request.store) is None
    store = save_store(conn, request.store, now, account=request.account, **(request.store_settings or {}))
    if request.cratejoy is not None:
        ensure_keys_unused(conn, secret_keys, store, request.cratejoy)
    if request.rotate_urls:
        store = replace(store, token_version=rotate_token(conn, store.id))
    known = {row.id for row in list_store_connections(conn, store.id)}
    new = NewConnection(store.id, request.platform, checked.account, b"", request.label)
    connection = save_connection(conn, new, now)
    sealed = encryption.encrypt(secret_keys, checked.config, connection.identity)
    set_connection_config(conn, connection.id, sealed)
    if request.sends_people and not is_new and connection.id not in known:
        start_people(conn, connection.id, now)
    if request.cratejoy is not None:
        keys = encryption.encrypt(secret_keys, request.cratejoy.as_config(), build_api_identity(store.id))
        save_store_api(conn, store.id, keys, now)
        if create_first_backfill(conn, store.id, now) is None:
            make_backfill_due(conn, store.id, now)  # it may have been waiting for other keys
        elif not request.reads_customers:
            pause_backfill(conn, store.id, now)
    if request.origins is not None:
        save_samples(conn, store.id, request.origins.samples, now)
        add_origins(conn, store.id, request.origins, now)
    action = "store.connected" if is_new else "connection.saved"
    about: About = {"platform": request.platform, "connection": connection.id}
    record_store_action(conn, store.id, request.actor, action, now, about)
    request_hook_audit(conn, store.id, now)  # the URLs may have changed
    api = find_store_api(conn, store.id)
    hooks = build_hook_urls(secret_keys, public_url, store.name, store.token_version)
    return ConnectResult(store, connection.id, checked.account, hooks, api is not None and api.registers)


def add_origins(conn: Connection, store_id: int, answer: OriginAnswer, now: int) -> None:
    """Add an answer to what was answered before; a value that is named anew changes its list. Raise Misconfigured."""
    if not answer.marketplace and not answer.storefront:
        return
    store = get_store(conn, store_id)
    known = (store.marketplace_sources, store.storefront_sources) if store else (None, None)
    said = {*answer.marketplace, *answer.storefront}
    marketplace, storefront = ({value for value in values or () if value not in said} for values in known)
    answer_sources(
        *(conn, store_id, marketplace | {*answer.marketplace}, storefront | {*answer.storefront}),
        decided_by=answer.decided_by,
        now=now,
    )


def validate_request(request: ConnectRequest) -> None:
    """Raise Misconfigured for a request that is invalid before any key is checked."""
    if not STORE_NAME_PATTERN.fullmatch(request.store):
        raise Misconfigured("a store's name is 1 to 63 lower-case letters, digits and hyphens: it is part of its URLs")
    if len(request.label) > MAX_LABEL_CHARS or not request.label.isprintable():
        raise Misconfigured(f"a label has at most {MAX_LABEL_CHARS} characters, and no line breaks")
    if request.platform not in DESTINATIONS:
        raise Misconfigured(f"no platform {request.platform}; there are: {', '.join(sorted(DESTINATIONS))}")
    settings = request.store_settings or {}
    if not CURRENCY_PATTERN.fullmatch(settings.get("currency", "USD")):
        raise Misconfigured("a currency is three letters, such as USD")
    unknown = set(settings.get("forward_also") or ()) - EVENTS.keys()
    if unknown:
        raise Misconfigured(f"no such event: {', '.join(sorted(unknown))}; there are: {', '.join(sorted(EVENTS))}")
