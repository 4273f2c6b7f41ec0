"""Encrypts everything in the ledger anew with the first secret key, so that older keys can go."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.ledger.account_tables import Mail
from pipeline.ledger.api_tables import StoreAPI
from pipeline.ledger.tables import Base
from pipeline.ledger.tables import Connection as Link
from pipeline.secrets import opens, reseal

SEALED: dict[str, tuple[type[Base], InstrumentedAttribute[int], InstrumentedAttribute[bytes]]] = {
    "connections": (Link, Link.id, Link.config),
    "store_apis": (StoreAPI, StoreAPI.store_id, StoreAPI.config),
    "mails": (Mail, Mail.id, Mail.content),  # type: ignore[dict-item]  # none that has left is looked at
}
CREDENTIALS = ("connections", "store_apis")


def reseal_all(db: Connection, secret_keys: Sequence[str]) -> dict[str, int]:
    """How many were encrypted anew, by table. Raise Misconfigured, and change nothing, if a key is missing."""
    return {name: _reseal(db, secret_keys, *where) for name, where in SEALED.items()}


def unopened(db: Connection, secret_keys: Sequence[str]) -> tuple[int, int]:
    """How many of the saved credentials none of the keys opens, and how many there are."""
    blobs = [blob for name in CREDENTIALS for blob in db.execute(select(SEALED[name][2])).scalars()]
    return sum(not opens(secret_keys, blob) for blob in blobs), len(blobs)


def _reseal(
    db: Connection,
    secret_keys: Sequence[str],
    table: type[Base],
    key: InstrumentedAttribute[int],
    sealed: InstrumentedAttribute[bytes],
) -> int:
    rows = db.execute(select(key, sealed).where(sealed.is_not(None)).with_for_update()).all()
    for id_, blob in rows:
        db.execute(update(table).where(key == id_).values({sealed: reseal(secret_keys, blob)}))
    return len(rows)
