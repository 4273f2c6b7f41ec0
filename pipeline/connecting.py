"""Connects a store to a platform: credentials tried first, then saved sealed, then the hook URLs to register."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine

from pipeline import secrets, tokens
from pipeline.destinations import DESTINATIONS
from pipeline.errors import Misconfigured
from pipeline.events.table import EVENTS
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.engine import writing
from pipeline.ledger.stores import StoreRow, rotate_token, save_store

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a merchant, or a command, asks for. `store_settings`: currency, forward_also, forward_tests.

    `new_urls`: the hook URLs there were are worth nothing any more.
    """

    store: str
    platform: str
    config: Mapping[str, str]
    label: str = ""
    store_settings: Mapping[str, Any] | None = None
    new_urls: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """What there is now. `hooks`: event -> the URL to register for it; each is a secret."""

    store: StoreRow
    connection_id: int
    account: str
    hooks: dict[str, str]


def connect(engine: Engine, secret_keys: Sequence[str], public_url: str, wanted: Wanted, now: int) -> Connected:
    """Connect, or update the connection that is there already.

    Raises Misconfigured, BadCredentials, WrongRegion or Unreachable, and has saved nothing then.
    """
    if not _NAME.fullmatch(wanted.store):
        raise Misconfigured("a store's name is 1 to 63 lower-case letters, digits and hyphens: it is part of its URLs")
    if wanted.platform not in DESTINATIONS:
        raise Misconfigured(f"no platform {wanted.platform}; there are: {', '.join(sorted(DESTINATIONS))}")
    unknown = set((wanted.store_settings or {}).get("forward_also") or ()) - EVENTS.keys()
    if unknown:
        raise Misconfigured(f"no such event: {', '.join(sorted(unknown))}")
    checked = DESTINATIONS[wanted.platform](wanted.config).check()
    sealed = secrets.seal(secret_keys, checked.config)
    with writing(engine) as db:
        store = save_store(db, wanted.store, now, **(wanted.store_settings or {}))
        if wanted.new_urls:
            store = replace(store, token_version=rotate_token(db, store.id))
        new = NewConnection(store.id, wanted.platform, checked.account, sealed, wanted.label)
        connection = save_connection(db, new, now)
    return Connected(store, connection.id, checked.account, hook_urls(secret_keys, public_url, store))


def hook_urls(secret_keys: Sequence[str], public_url: str, store: StoreRow) -> dict[str, str]:
    """The URL of every event: its body does not name it, so its address must."""
    token = tokens.sign(secret_keys, store.name, store.token_version)
    return {event: f"{public_url}/hooks/{store.name}/{token}/{event}" for event in EVENTS}
