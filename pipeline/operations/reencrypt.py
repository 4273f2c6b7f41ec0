"""Re-encrypts everything encrypted in the ledger with the first secret key, so that older keys can be removed.

Each value is encrypted for its row; a value that belongs to another row stops the whole, and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from pipeline.infra.crypto.encryption import RowIdentity, can_decrypt, names_its_row, reencrypt
from pipeline.ledger.schema.accounts import Mail
from pipeline.ledger.schema.api_tokens import ApiToken
from pipeline.ledger.schema.base import Base
from pipeline.ledger.schema.core import StoreConnection
from pipeline.ledger.schema.fences import Fence
from pipeline.ledger.schema.fulfilment import FulfilmentOrder, Warehouse
from pipeline.ledger.schema.regulations import RegulationKey
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.ledger.sql.tables import insert_into


class EncryptedColumn(NamedTuple):
    """A column of encrypted values, and the columns that say which row each belongs to."""

    table: type[Base]
    key: Any  # an InstrumentedAttribute, as the others are; mypy would take it for the value in a row
    store_id: Any
    value: Any  # NULL where nothing is encrypted


ENCRYPTED_COLUMNS: dict[str, EncryptedColumn] = {
    "connections": EncryptedColumn(
        StoreConnection, StoreConnection.id, StoreConnection.store_id, StoreConnection.config
    ),
    "store_apis": EncryptedColumn(StoreAPI, StoreAPI.store_id, StoreAPI.store_id, StoreAPI.config),
    "regulation_keys": EncryptedColumn(RegulationKey, RegulationKey.uid, None, RegulationKey.sealed),
    "api_tokens": EncryptedColumn(ApiToken, ApiToken.uid, None, ApiToken.sealed),
    "warehouses": EncryptedColumn(Warehouse, Warehouse.store_id, Warehouse.store_id, Warehouse.config),
    "fulfilment_orders": EncryptedColumn(  # NULL once a box is finished for long, or its person erased
        FulfilmentOrder, FulfilmentOrder.id, FulfilmentOrder.store_id, FulfilmentOrder.payload
    ),
    "mails": EncryptedColumn(Mail, Mail.id, None, Mail.content),  # NULL once sent
}
_REENCRYPTED = "encrypted_values"
CREDENTIAL_TABLES = ("connections", "store_apis", "warehouses", "regulation_keys")


def reencrypt_all(conn: Connection, secret_keys: Sequence[str]) -> dict[str, int]:
    """Re-encrypt; returns the number of rows by table. From then on no value may lack its row: `was_reencrypted`.

    Raise Misconfigured, and change nothing, if a key is missing or a value belongs to another row.
    """
    counts = {name: _reencrypt_table(conn, secret_keys, name) for name in ENCRYPTED_COLUMNS}
    conn.execute(insert_into(conn, Fence).values(name=_REENCRYPTED, token=1).on_conflict_do_nothing())
    return counts


def was_reencrypted(conn: Connection) -> bool:
    """Whether all values have been encrypted for their rows: one without a row was put there since."""
    return conn.execute(select(Fence.token).where(Fence.name == _REENCRYPTED)).first() is not None


def count_undecryptable(conn: Connection, secret_keys: Sequence[str]) -> tuple[int, int]:
    """The number of saved credentials that none of the keys decrypts, and the number of all."""
    blobs = [blob for name in CREDENTIAL_TABLES for _, blob in _list_values(conn, name)]
    return sum(not can_decrypt(secret_keys, blob) for blob in blobs), len(blobs)


def count_without_row(conn: Connection, secret_keys: Sequence[str]) -> int:
    """The number of decryptable values, of earlier versions, that do not say which row they belong to."""
    blobs = (blob for name in ENCRYPTED_COLUMNS for _, blob in _list_values(conn, name))
    return sum(can_decrypt(secret_keys, blob) and not names_its_row(secret_keys, blob) for blob in blobs)


def _reencrypt_table(conn: Connection, secret_keys: Sequence[str], name: str) -> int:
    column = ENCRYPTED_COLUMNS[name]
    rows = list(_list_values(conn, name, lock=True))
    for row, blob in rows:
        changed = {column.value: reencrypt(secret_keys, blob, row)}
        conn.execute(update(column.table).where(column.key == row.key).values(changed))
    return len(rows)


def _list_values(conn: Connection, name: str, *, lock: bool = False) -> Iterator[tuple[RowIdentity, bytes]]:
    column = ENCRYPTED_COLUMNS[name]
    columns = [column.key, column.value] if column.store_id is None else [column.key, column.value, column.store_id]
    query = select(*columns).where(column.value.is_not(None))
    for key, blob, *store in conn.execute(query.with_for_update() if lock else query).all():
        yield RowIdentity(name, key, *store), blob
