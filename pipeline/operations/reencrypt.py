"""Re-encrypts everything encrypted in the ledger with the first secret key, so that older keys can be removed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.infra.crypto.encryption import can_decrypt, reencrypt
from pipeline.ledger.schema.accounts import Mail
from pipeline.ledger.schema.core import Base, StoreConnection
from pipeline.ledger.schema.regulations import RegulationKey
from pipeline.ledger.schema.store_apis import StoreAPI

ENCRYPTED_COLUMNS: dict[str, tuple[type[Base], InstrumentedAttribute[int], InstrumentedAttribute[bytes]]] = {
    "connections": (StoreConnection, StoreConnection.id, StoreConnection.config),
    "store_apis": (StoreAPI, StoreAPI.store_id, StoreAPI.config),
    "regulation_keys": (RegulationKey, RegulationKey.id, RegulationKey.sealed),
    "mails": (Mail, Mail.id, Mail.content),  # type: ignore[dict-item]  # NULL once sent: skipped
}
CREDENTIAL_TABLES = ("connections", "store_apis", "regulation_keys")


def reencrypt_all(conn: Connection, secret_keys: Sequence[str]) -> dict[str, int]:
    """Re-encrypt; returns the number of rows by table. Raise Misconfigured, and change nothing, if a key is missing."""
    return {name: _reencrypt_table(conn, secret_keys, *where) for name, where in ENCRYPTED_COLUMNS.items()}


def count_undecryptable(conn: Connection, secret_keys: Sequence[str]) -> tuple[int, int]:
    """The number of saved credentials that none of the keys decrypts, and the number of all."""
    blobs = [blob for name in CREDENTIAL_TABLES for blob in conn.execute(select(ENCRYPTED_COLUMNS[name][2])).scalars()]
    return sum(not can_decrypt(secret_keys, blob) for blob in blobs), len(blobs)


def _reencrypt_table(
    conn: Connection,
    secret_keys: Sequence[str],
    table: type[Base],
    key: InstrumentedAttribute[int],
    encrypted: InstrumentedAttribute[bytes],
) -> int:
    rows = conn.execute(select(key, encrypted).where(encrypted.is_not(None)).with_for_update()).all()
    for id_, blob in rows:
        conn.execute(update(table).where(key == id_).values({encrypted: reencrypt(secret_keys, blob)}))
    return len(rows)
