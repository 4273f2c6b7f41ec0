"""Connects a store to a platform: all keys are tried first, then saved sealed.

After that the hooks are registered, and the customers the store has already are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine

from pipeline.backfill.schedule import create_first_backfill
from pipeline.core.errors import Misconfigured
from pipeline.cratejoy.credentials import Credentials
from pipeline.cratejoy.shared_keys import ensure_keys_unused
from pipeline.destinations import DESTINATIONS
from pipeline.destinations.base import CheckResult
from pipeline.events.catalogue import EVENTS
from pipeline.hook_registration.urls import build_hook_urls
from pipeline.infra.crypto import encryption
from pipeline.infra.http.client import HTTPClient
from pipeline.ledger.backfills import make_backfill_due
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.engine import writing
from pipeline.ledger.fence import lock_fence
from pipeline.ledger.store_apis import find_store_api, request_hook_audit, save_store_api
from pipeline.ledger.stores import DEFAULT_ACCOUNT, StoreRow, rotate_token, save_store

STORE_NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MAX_LABEL_CHARS = 63
CURRENCY_PATTERN = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """What a merchant, or a command, asks for. `store_settings`: currency, forward_also, forward_tests.

    `new_urls`: the hook URLs there were are worth nothing any more. `cratejoy`: the keys of the store's Merchant API;
    with them its hooks register themselves, without them a human does it.
    """

    store: str
    platform: str
    config: Mapping[str, str]
    label: str = ""
    store_settings: Mapping[str, Any] | None = None
    rotate_urls: bool = False
    cratejoy: Credentials | None = None
    account: str = DEFAULT_ACCOUNT


@dataclass(frozen=True, slots=True)
class ConnectResult:
    """What there is now. `hooks`: event -> the URL to register for it; each is a secret.

    `registers_itself`: we have the keys to do so, and an audit of the hooks is due.
    """

    store: StoreRow
    connection_id: int
    account: str
    hooks: dict[str, str]
    registers_automatically: bool


@dataclass(frozen=True, slots=True)
class CredentialChecks:
    """How keys are tried: `http` calls the platform, `store` tries the keys of a Merchant API."""

    http: HTTPClient
    store: Callable[[Credentials], None] | None = None


def connect(
    engine: Engine,
    secret_keys: Sequence[str],
    public_url: str,
    wanted: ConnectRequest,
    trial: CredentialChecks,
    now: int,
) -> ConnectResult:
    """Connect, or update the connection that is there already.

    Raises Misconfigured, BadCredentials, WrongRegion, WrongAddress, Unreachable, or Wait from the store's API, and
    has saved nothing then.
    """
    validate_request(wanted)
    if wanted.cratejoy is not None and trial.store is not None:
        trial.store(wanted.cratejoy)
    checked = DESTINATIONS[wanted.platform](wanted.config, trial.http).check()
    with writing(engine) as db:
        return save_checked_connection(db, secret_keys, public_url, wanted, checked, now)


def save_checked_connection(
    conn: Connection,
    secret_keys: Sequence[str],
    public_url: str,
    wanted: ConnectRequest,
    checked: CheckResult,
    now: int,
) -> ConnectResult:
    """Save what was tried. Hooks are registered, and a new store's customers read, once this is committed.

    Raises Misconfigured as `save_store` does, and KeysInUse if another store has these keys of Cratejoy.
    """
    lock_fence(conn, "connecting")  # two that connect with the same keys at once must see each other
    store = save_store(conn, wanted.store, now, account=wanted.account, **(wanted.store_settings or {}))
    if wanted.cratejoy is not None:
        ensure_keys_unused(conn, secret_keys, store, wanted.cratejoy)
    if wanted.rotate_urls:
        store = replace(store, token_version=rotate_token(conn, store.id))
    sealed = encryption.encrypt(secret_keys, checked.config)
    new = NewConnection(store.id, wanted.platform, checked.account, sealed, wanted.label)
    connection = save_connection(conn, new, now)
    if wanted.cratejoy is not None:
        save_store_api(conn, store.id, encryption.encrypt(secret_keys, wanted.cratejoy.as_config()), now)
        if create_first_backfill(conn, store.id, now) is None:
            make_backfill_due(conn, store.id, now)  # it may have been waiting for other keys
    request_hook_audit(conn, store.id, now)  # the URLs may be others now
    known = find_store_api(conn, store.id)
    hooks = build_hook_urls(secret_keys, public_url, store.name, store.token_version)
    return ConnectResult(store, connection.id, checked.account, hooks, known is not None and known.registers)


def validate_request(wanted: ConnectRequest) -> None:
    """Raise Misconfigured for what no trying could make right."""
    if not STORE_NAME_PATTERN.fullmatch(wanted.store):
        raise Misconfigured("a store's name is 1 to 63 lower-case letters, digits and hyphens: it is part of its URLs")
    if len(wanted.label) > MAX_LABEL_CHARS or not wanted.label.isprintable():
        raise Misconfigured(f"a label has at most {MAX_LABEL_CHARS} characters, and no line breaks")
    if wanted.platform not in DESTINATIONS:
        raise Misconfigured(f"no platform {wanted.platform}; there are: {', '.join(sorted(DESTINATIONS))}")
    chosen = wanted.store_settings or {}
    if not CURRENCY_PATTERN.fullmatch(chosen.get("currency", "USD")):
        raise Misconfigured("a currency is three letters, such as USD")
    unknown = set(chosen.get("forward_also") or ()) - EVENTS.keys()
    if unknown:
        raise Misconfigured(f"no such event: {', '.join(sorted(unknown))}; there are: {', '.join(sorted(EVENTS))}")
