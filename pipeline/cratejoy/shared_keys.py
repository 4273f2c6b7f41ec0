"""Finds stores that were connected with the same keys of Cratejoy: each would register its own hooks, and read the same
customers again.

The URL of the Merchant API and the Client ID identify a store at Cratejoy; the secret may change.
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


def ensure_keys_unused(conn: Connection, secret_keys: Sequence[str], store: StoreRow, credentials: Credentials) -> None:
    """Raise KeysInUse if another store has these keys; the error names the store if it belongs to the same account."""
    others = [other for other, account in _iter_connected_stores(conn, secret_keys) if account == credentials.account]
    others = [other for other in others if other.id != store.id]
    if not others:
        return
    name = next((other.name for other in others if other.account_id == store.account_id), None)
    if name is None:
        raise KeysInUse("another account of this installation has connected this Cratejoy store; it can only be in one")
    raise KeysInUse(f"these are the keys of store {name}: connect {name} again, under another label, instead")


def find_shared_keys(conn: Connection, secret_keys: Sequence[str]) -> list[list[str]]:
    """Groups of stores with the same keys, by name. Such stores were connected before this was refused."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for store, account in _iter_connected_stores(conn, secret_keys):
        names[account].append(store.name)
    return sorted(sorted(group) for group in names.values() if len(group) > 1)


def _iter_connected_stores(conn: Connection, secret_keys: Sequence[str]) -> Iterator[tuple[StoreRow, str]]:
    """Every store whose keys can be decrypted, and the account that they are for."""
    for store_id in list_stores_with_api(conn):
        api, store = find_store_api(conn, store_id), get_store(conn, store_id)
        if api is not None and store is not None and can_decrypt(secret_keys, api.config):
            yield store, parse_credentials(decrypt(secret_keys, api.config, api.identity)).account
