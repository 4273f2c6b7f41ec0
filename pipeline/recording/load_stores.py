"""Reads and locks the stores of a batch, with all that recording needs to know of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Connection,
    SmallInteger,
    Text,
    bindparam,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy import cast as sql_cast

from pipeline.ledger.schema import core
from pipeline.ledger.schema.consent import StoreSource
from pipeline.ledger.schema.fulfilment import Warehouse
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.mapping.rules import read_left_out
from pipeline.recording.snapshot import RecordingStore
from pipeline.recording.sources import build_store_rules


def _build_of_stores() -> CompoundSelect[Any]:
    """(what, store_id, number, lanes, value) of the connections, met sources and API of these stores, all at once."""
    connection = core.StoreConnection.__table__.c
    no_number, no_lanes, no_value = sql_cast(null(), BigInteger), sql_cast(null(), SmallInteger), sql_cast(null(), Text)
    apis = StoreAPI.__table__.join(Warehouse.__table__, Warehouse.store_id == StoreAPI.store_id, isouter=True)
    found: tuple[tuple[str, Any, Any, Any, Any, Any], ...] = (
        ("connection", connection.id.table, connection.store_id, connection.id, connection.lanes, connection.mapping),
        ("source", StoreSource.__table__, StoreSource.store_id, no_number, no_lanes, StoreSource.value),
        ("api", apis, StoreAPI.store_id, Warehouse.id, no_lanes, no_value),
    )
    return union_all(
        *(
            select(
                literal(what).label("what"),
                store_id,
                number.label("number"),
                lanes.label("lanes"),
                value.label("value"),
            )
            .select_from(table)
            .where(store_id.in_(bindparam("ids", expanding=True)))
            for what, table, store_id, number, lanes, value in found
        )
    )


# Built once: every batch executes them.
_STORE = core.Store.__table__
_LOCK_STORES = (
    select(_STORE)
    .where(_STORE.c.name.in_(bindparam("names", expanding=True)), _STORE.c.removed_at.is_(None))
    .order_by(_STORE.c.id)  # two writers lock the same stores in the same order
    .with_for_update(key_share=True)
)
_OF_STORES = _build_of_stores()


def load_stores_by_name(conn: Connection, names: Collection[str]) -> dict[str, RecordingStore]:
    """These stores, locked, with all their connections: deliveries of a paused connection are written and wait.

    A store whose rows are being deleted is not among them.
    """
    if not names:
        return {}
    # The row lock makes writers about one store wait for each other (PostgreSQL; SQLite has one writer anyway).
    rows = conn.execute(_LOCK_STORES, {"names": sorted(names)}).all()
    connections: dict[int, list[tuple[int, int]]] = {row.id: [] for row in rows}
    left_out: dict[int, frozenset[str]] = {}
    met: dict[int, set[str]] = {row.id: set() for row in rows}
    with_api: dict[int, bool] = {}
    if rows:
        for found in conn.execute(_OF_STORES, {"ids": sorted(connections)}):
            match found.what:
                case "connection":
                    connections[found.store_id].append((found.number, found.lanes))
                    if found.value is not None:
                        left_out[found.number] = read_left_out(found.value)
                case "source":
                    met[found.store_id].add(found.value)
                case _:
                    with_api[found.store_id] = found.number is not None
    return {
        row.name: RecordingStore(
            id=row.id,
            name=row.name,
            token_version=row.token_version,
            old_token_until=row.old_token_until,
            currency=row.currency,
            forward_also=tuple(row.forward_also),
            forward_tests=row.forward_tests,
            record_only=row.record_only_since is not None,
            connections=tuple(sorted(connections[row.id])),
            left_out={number: left_out[number] for number, _ in connections[row.id] if number in left_out},
            has_api=row.id in with_api,
            has_warehouse=with_api.get(row.id, False),
            consent=build_store_rules(row, met[row.id]),
            not_forwarded=tuple(row.not_forwarded or ()),
        )
        for row in rows
    }
