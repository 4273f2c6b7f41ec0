"""Regulations in the ledger: who was erased, as keyed hashes, and the keys of these hashes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, exists, insert, select, update

from pipeline.infra.crypto.keyed_hashes import hash_identifier, open_key, seal_key
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.regulations import Regulation, RegulationIdentifier, RegulationKey
from pipeline.ledger.sql.bulk import upsert
from pipeline.ledger.sql.tables import select_by_keys
from pipeline.redaction.identity import LearnedHash

RegulationKind = Literal["erase", "suppress"]
ERASE: RegulationKind = "erase"
SUPPRESS: RegulationKind = "suppress"
StoreKey = tuple[int, str, str]  # (store id, kind, value) of something that leads to a person


@dataclass(frozen=True, slots=True)
class RegulationRow:
    """A regulation. Times are µs."""

    id: int
    uid: str
    store_id: int
    store: str
    person_id: int | None
    kind: RegulationKind
    user_id: int | None
    at_destinations: bool
    emptied: dict[str, Any]
    recognised: int
    recognised_at: int | None
    created_at: int
    applied_at: int | None


@dataclass(frozen=True, slots=True)
class Hasher:
    """Hashes the keys of people with every regulation key there is; the first is used for new regulations."""

    keys: tuple[bytes, ...] = field(repr=False)

    def hash_new(self, store: str, kind: str, value: str) -> str:
        return hash_identifier(self.keys[0], store, kind, value)

    def hash_all(self, store: str, kind: str, value: str) -> list[str]:
        return [hash_identifier(key, store, kind, value) for key in self.keys]


def load_hasher(conn: Connection, secret_keys: Sequence[str]) -> Hasher:
    """The regulation keys, the newest first. Raises Misconfigured if one of them cannot be decrypted."""
    found = conn.execute(select(RegulationKey.sealed, RegulationKey.uid).order_by(RegulationKey.id.desc()))
    return Hasher(tuple(open_key(secret_keys, row.sealed, row.uid) for row in found))


def ensure_hasher(conn: Connection, secret_keys: Sequence[str], random: bytes, uid: str, now: int) -> Hasher:
    """The regulation keys; `random` becomes the first one if there is none."""
    hasher = load_hasher(conn, secret_keys)
    if hasher.keys:
        return hasher
    conn.execute(insert(RegulationKey).values(uid=uid, sealed=seal_key(secret_keys, random, uid), created_at=now))
    return Hasher((random,))


def add_regulation(
    conn: Connection, values: Mapping[str, Any], identifiers: Iterable[tuple[str, str]], now: int
) -> int:
    """Insert a regulation with its (kind, digest) pairs; returns its id. `values`: its other columns."""
    new = insert(Regulation).values(**values, created_at=now, emptied={}, recognised=0)
    regulation_id = conn.execute(new.returning(Regulation.id)).scalar_one()
    add_identifiers(conn, regulation_id, values["store_id"], identifiers)
    return regulation_id


def add_learned_hashes(conn: Connection, learned: Iterable[LearnedHash]) -> None:
    """Add hashes to their regulations; those they have stay."""
    rows = [one._asdict() for one in dict.fromkeys(learned)]
    upsert(conn, RegulationIdentifier.__table__, rows, update_columns=())


def add_identifiers(
    conn: Connection, regulation_id: int, store_id: int, identifiers: Iterable[tuple[str, str]]
) -> None:
    """Add (kind, digest) pairs to a regulation; those it has stay."""
    add_learned_hashes(conn, (LearnedHash(regulation_id, store_id, kind, digest) for kind, digest in identifiers))


def mark_applied(conn: Connection, regulation_id: int, emptied: Mapping[str, int], now: int) -> None:
    """Record what was emptied, in addition to what was emptied before."""
    row = conn.execute(select(Regulation.emptied).where(Regulation.id == regulation_id)).scalar_one()
    total = {name: row.get(name, 0) + emptied.get(name, 0) for name in {**row, **emptied}}
    conn.execute(update(Regulation).where(Regulation.id == regulation_id).values(emptied=total, applied_at=now))


def list_regulations(conn: Connection, store_id: int | None = None) -> list[RegulationRow]:
    """The regulations of a store, or all, oldest first."""
    return _select_regulations(conn, () if store_id is None else (Regulation.store_id == store_id,))


def list_person_regulations(conn: Connection, person_id: int) -> list[RegulationRow]:
    """The regulations about one person, oldest first."""
    return _select_regulations(conn, (Regulation.person_id == person_id,))


# Built once: every batch executes it.
_WITH_SUPPRESSED = select(Store.id).where(
    Store.id.in_(bindparam("ids", expanding=True)),
    exists().where(Regulation.store_id == Store.id, Regulation.kind == SUPPRESS),
)


def find_stores_with_suppressed(conn: Connection, store_ids: Collection[int]) -> set[int]:
    """Those of the stores that have suppressed people."""
    return set(conn.execute(_WITH_SUPPRESSED, {"ids": sorted(store_ids)}).scalars())


def find_suppressed(
    conn: Connection, hasher: Hasher, stores: Mapping[int, str], keys: Iterable[StoreKey]
) -> dict[StoreKey, int]:
    """Those of the keys that lead to a suppressed person, each with the id of the regulation."""
    digests = {
        (store_id, kind, digest): (store_id, kind, value)
        for store_id, kind, value in keys
        for digest in hasher.hash_all(stores[store_id], kind, value)
    }
    row = RegulationIdentifier.__table__.c
    by = row.store_id, row.kind, row.digest
    found = select_by_keys(conn, (*by, row.regulation_id), by, digests)
    ids = {match.regulation_id for match in found}
    suppressing = set(
        conn.execute(select(Regulation.id).where(Regulation.id.in_(ids), Regulation.kind == SUPPRESS)).scalars()
    )
    return {
        digests[match.store_id, match.kind, match.digest]: match.regulation_id
        for match in found
        if match.regulation_id in suppressing
    }


def count_recognised(conn: Connection, counts: Mapping[int, int], now: int) -> None:
    """Add to how often each regulation has recognised its person."""
    for regulation_id, count in sorted(counts.items()):
        values = {"recognised": Regulation.recognised + count, "recognised_at": now}
        conn.execute(update(Regulation).where(Regulation.id == regulation_id).values(values))


def _select_regulations(conn: Connection, conditions: Iterable[Any]) -> list[RegulationRow]:
    columns = [getattr(Regulation, name) for name in RegulationRow.__slots__ if name != "store"]
    query = select(*columns, Store.name.label("store")).join(Store, Store.id == Regulation.store_id)
    found = conn.execute(query.where(*conditions).order_by(Regulation.id))
    return [RegulationRow(**row._asdict()) for row in found]
