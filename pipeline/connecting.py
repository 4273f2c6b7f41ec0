"""Connects a store to a platform: all keys are tried first, then saved sealed.

After that the hooks are registered, and the customers the store has already are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine

from pipeline import secrets
from pipeline.backfill.starting import begin_first
from pipeline.cratejoy.credentials import Credentials
from pipeline.cratejoy.sharing import check_unused
from pipeline.destinations import DESTINATIONS
from pipeline.destinations.port import Checked
from pipeline.errors import Misconfigured
from pipeline.events.table import EVENTS
from pipeline.http import HTTP
from pipeline.ledger.backfills import hurry_backfill
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.engine import writing
from pipeline.ledger.store_apis import ask_for_audit, find_api, save_api
from pipeline.ledger.stores import DEFAULT_ACCOUNT, StoreRow, rotate_token, save_store
from pipeline.record.fence import hold
from pipeline.registration.urls import hook_urls

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LONGEST_LABEL = 63
CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a merchant, or a command, asks for. `store_settings`: currency, forward_also, forward_tests.

    `new_urls`: the hook URLs there were are worth nothing any more. `cratejoy`: the keys of the store's Merchant API;
    with them its hooks register themselves, without them a human does it.
    """

    store: str
    platform: str
    config: Mapping[str, str]
    label: str = ""
    store_settings: Mapping[str, Any] | None = None
    new_urls: bool = False
    cratejoy: Credentials | None = None
    account: str = DEFAULT_ACCOUNT


@dataclass(frozen=True, slots=True)
class Connected:
    """What there is now. `hooks`: event -> the URL to register for it; each is a secret.

    `registers_itself`: we have the keys to do so, and an audit of the hooks is due.
    """

    store: StoreRow
    connection_id: int
    account: str
    hooks: dict[str, str]
    registers_itself: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """How keys are tried: `http` calls the platform, `store` tries the keys of a Merchant API."""

    http: HTTP
    store: Callable[[Credentials], None] | None = None


def connect(
    engine: Engine,
    secret_keys: Sequence[str],
    public_url: str,
    wanted: Wanted,
    trial: Trial,
    now: int,
) -> Connected:
    """Connect, or update the connection that is there already.

    Raises Misconfigured, BadCredentials, WrongRegion, WrongAddress, Unreachable, or Wait from the store's API, and
    has saved nothing then.
    """
    check_wanted(wanted)
    if wanted.cratejoy is not None and trial.store is not None:
        trial.store(wanted.cratejoy)
    checked = DESTINATIONS[wanted.platform](wanted.config, trial.http).check()
    with writing(engine) as db:
        return save(db, secret_keys, public_url, wanted, checked, now)


def save(
    db: Connection, secret_keys: Sequence[str], public_url: str, wanted: Wanted, checked: Checked, now: int
) -> Connected:
    """Save what was tried. Hooks are registered, and a new store's customers read, once this is committed.

    Raises Misconfigured as `save_store` does, and KeysInUse if another store has these keys of Cratejoy.
    """
    hold(db, "connecting")  # two that connect with the same keys at once must see each other
    store = save_store(db, wanted.store, now, account=wanted.account, **(wanted.store_settings or {}))
    if wanted.cratejoy is not None:
        check_unused(db, secret_keys, store, wanted.cratejoy)
    if wanted.new_urls:
        store = replace(store, token_version=rotate_token(db, store.id))
    sealed = secrets.seal(secret_keys, checked.config)
    new = NewConnection(store.id, wanted.platform, checked.account, sealed, wanted.label)
    connection = save_connection(db, new, now)
    if wanted.cratejoy is not None:
        save_api(db, store.id, secrets.seal(secret_keys, wanted.cratejoy.as_config()), now)
        if begin_first(db, store.id, now) is None:
            hurry_backfill(db, store.id, now)  # it may have been waiting for other keys
    ask_for_audit(db, store.id, now)  # the URLs may be others now
    known = find_api(db, store.id)
    hooks = hook_urls(secret_keys, public_url, store.name, store.token_version)
    return Connected(store, connection.id, checked.account, hooks, known is not None and known.registers)


def check_wanted(wanted: Wanted) -> None:
    """Raise Misconfigured for what no trying could make right."""
    if not NAME.fullmatch(wanted.store):
        raise Misconfigured("a store's name is 1 to 63 lower-case letters, digits and hyphens: it is part of its URLs")
    if len(wanted.label) > LONGEST_LABEL or not wanted.label.isprintable():
        raise Misconfigured(f"a label has at most {LONGEST_LABEL} characters, and no line breaks")
    if wanted.platform not in DESTINATIONS:
        raise Misconfigured(f"no platform {wanted.platform}; there are: {', '.join(sorted(DESTINATIONS))}")
    chosen = wanted.store_settings or {}
    if not CURRENCY.fullmatch(chosen.get("currency", "USD")):
        raise Misconfigured("a currency is three letters, such as USD")
    unknown = set(chosen.get("forward_also") or ()) - EVENTS.keys()
    if unknown:
        raise Misconfigured(f"no such event: {', '.join(sorted(unknown))}; there are: {', '.join(sorted(EVENTS))}")
