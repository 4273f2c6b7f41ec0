"""Stores that were connected with the same keys of Cratejoy: each would register hooks and read customers once more.

A Cratejoy store is known by the address of its Merchant API and its Client ID; the secret may change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from pipeline.core.errors import KeysInUse
from pipeline.cratejoy.credentials import Credentials, parse_credentials
from pipeline.infra.crypto.encryption import can_decrypt, decrypt
from pipeline.ledger.store_apis import find_store_api, list_stores_with_api
from pipeline.ledger.stores import StoreRow, get_store


def ensure_keys_unused(conn: Connection, secret_keys: Sequence[str], store: StoreRow, wanted: Credentials) -> None:
    """Raise KeysInUse if another store has these keys: by name, if it belongs to the same account."""
    others = [other for other, account in _iter_connected_stores(conn, secret_keys) if account == wanted.account]
    others = [other for other in others if other.id != store.id]
    if not others:
        return
    named = next((other.name for other in others if other.account_id == store.account_id), None)
    if named is None:
        raise KeysInUse("another account of this installation has connected this Cratejoy store; it can only be in one")
    raise KeysInUse(f"these are the keys of store {named}: connect {named} again, under another label, instead")


def find_shared_keys(conn: Connection, secret_keys: Sequence[str]) -> list[list[str]]:
    """The names of stores that were connected with the same keys, before this was refused."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for store, account in _iter_connected_stores(conn, secret_keys):
        names[account].append(store.name)
    return sorted(sorted(several) for several in names.values() if len(several) > 1)


def _iter_connected_stores(conn: Connection, secret_keys: Sequence[str]) -> Iterator[tuple[StoreRow, str]]:
    """Every store with keys that can be read, and the account they are for."""
    for store_id in list_stores_with_api(conn):
        api, store = find_store_api(conn, store_id), get_store(conn, store_id)
        if api is not None and store is not None and can_decrypt(secret_keys, api.config):
            yield store, parse_credentials(decrypt(secret_keys, api.config)).account
