"""Encrypts everything in the ledger anew with the first secret key, so that older keys can go."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.infra.crypto.encryption import can_decrypt, reencrypt
from pipeline.ledger.schema.accounts import Mail
from pipeline.ledger.schema.core import Base
from pipeline.ledger.schema.core import StoreConnection as Link
from pipeline.ledger.schema.store_apis import StoreAPI

ENCRYPTED_COLUMNS: dict[str, tuple[type[Base], InstrumentedAttribute[int], InstrumentedAttribute[bytes]]] = {
    "connections": (Link, Link.id, Link.config),
    "store_apis": (StoreAPI, StoreAPI.store_id, StoreAPI.config),
    "mails": (Mail, Mail.id, Mail.content),  # type: ignore[dict-item]  # none that has left is looked at
}
CREDENTIAL_TABLES = ("connections", "store_apis")


def reencrypt_all(conn: Connection, secret_keys: Sequence[str]) -> dict[str, int]:
    """How many were encrypted anew, by table. Raise Misconfigured, and change nothing, if a key is missing."""
    return {name: _reencrypt_table(conn, secret_keys, *where) for name, where in ENCRYPTED_COLUMNS.items()}


def count_undecryptable(conn: Connection, secret_keys: Sequence[str]) -> tuple[int, int]:
    """How many of the saved credentials none of the keys opens, and how many there are."""
    blobs = [blob for name in CREDENTIAL_TABLES for blob in conn.execute(select(ENCRYPTED_COLUMNS[name][2])).scalars()]
    return sum(not can_decrypt(secret_keys, blob) for blob in blobs), len(blobs)


def _reencrypt_table(
    conn: Connection,
    secret_keys: Sequence[str],
    table: type[Base],
    key: InstrumentedAttribute[int],
    sealed: InstrumentedAttribute[bytes],
) -> int:
    rows = conn.execute(select(key, sealed).where(sealed.is_not(None)).with_for_update()).all()
    for id_, blob in rows:
        conn.execute(update(table).where(key == id_).values({sealed: reencrypt(secret_keys, blob)}))
    return len(rows)
