"""What the ledger already knows that a batch needs: read in a handful of queries, however large the batch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection as Database
from sqlalchemy import Table, select

from pipeline.ledger import tables
from pipeline.record.by_keys import rows_by

HappeningKey = tuple[int, str]  # store id, the happening's key in that store

_CHUNK = 400  # bound parameters in one statement: SQLite takes 32 766, plans stay small


@dataclass(frozen=True, slots=True)
class StoreRow:
    """A store, as far as recording needs it."""

    id: int
    name: str
    token_version: int
    old_token_until: int | None  # µs; the version before is good for what came before this
    currency: str
    forward_also: tuple[str, ...]
    forward_tests: bool
    record_only: bool  # what the API shows and no hook has told is not forwarded
    connections: tuple[tuple[int, int], ...]  # (connection id, its number of lanes)

    def takes(self, version: int, received_at: int) -> bool:
        """Whether a hook that came then, through a URL of this version, came through one of the store's."""
        last = version == self.token_version - 1 and received_at < (self.old_token_until or 0)
        return version == self.token_version or last


@dataclass(frozen=True, slots=True)
class Told:
    """A happening the ledger has: its row, and the hook that told it first."""

    event_id: int | None  # None: earlier in this very batch
    received_at: int
    receipt: str


def chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Lists of a size that fits one statement."""
    listed = list(items)
    for start in range(0, len(listed), _CHUNK):
        yield listed[start : start + _CHUNK]


def table_of(model: type[tables.Base]) -> Table:
    """The model's table, for bulk statements."""
    return cast("Table", model.__table__)  # a FromClause in general, a Table for every model that has a table


def stores_by_name(db: Database, names: Collection[str]) -> dict[str, StoreRow]:
    """The stores of a batch with the connections their messages go to. Paused connections collect theirs."""
    store, connection = table_of(tables.Store), table_of(tables.Connection)
    # The row lock makes writers about one store wait for each other (PostgreSQL; SQLite has one writer anyway).
    rows = db.execute(select(store).where(store.c.name.in_(names)).with_for_update(key_share=True)).all()
    wires: dict[int, list[tuple[int, int]]] = {row.id: [] for row in rows}
    columns = (connection.c.store_id, connection.c.id, connection.c.lanes)
    for wire in db.execute(select(*columns).where(connection.c.store_id.in_(wires)).order_by(connection.c.id)):
        wires[wire.store_id].append((wire.id, wire.lanes))
    return {
        row.name: StoreRow(
            row.id,
            row.name,
            row.token_version,
            row.old_token_until,
            row.currency,
            tuple(row.forward_also),
            row.forward_tests,
            row.record_only_since is not None,
            tuple(wires[row.id]),
        )
        for row in rows
    }


def told_already(db: Database, keys: Collection[HappeningKey]) -> dict[HappeningKey, Told]:
    """Which of these happenings the ledger has."""
    event = table_of(tables.Event).c
    by = event.store_id, event.happening
    rows = rows_by(db, (*by, event.id, event.received_at, event.receipt), by, keys)
    return {(row.store_id, row.happening): Told(row.id, row.received_at, row.receipt) for row in rows}


def profiled(db: Database, person_ids: Collection[int]) -> set[tuple[int, int]]:
    """The (connection, person) pairs for which a profile has been sent or is on its way.

    Introductions are found through the connections of the person's store: their index begins with the connection.
    """
    person, connection, delivery = table_of(tables.Person), table_of(tables.Connection), table_of(tables.Delivery)
    introduction = table_of(tables.Introduction)
    mine = (introduction.c.connection_id == connection.c.id) & (introduction.c.person_id == person.c.id)
    ours = person.join(connection, connection.c.store_id == person.c.store_id).join(introduction, mine)
    sent = select(introduction.c.connection_id, introduction.c.person_id).select_from(ours)
    pairs: set[tuple[int, int]] = set()
    for part in chunks(person_ids):
        pairs.update((row[0], row[1]) for row in db.execute(sent.where(person.c.id.in_(part))))
    unsent = set(person_ids) - {person for _, person in pairs}
    for part in chunks(unsent):
        waiting = select(delivery.c.connection_id, delivery.c.person_id).distinct()
        query = waiting.where(
            delivery.c.person_id.in_(part), delivery.c.kind == "profile", delivery.c.done_at.is_(None)
        )
        pairs.update((row[0], row[1]) for row in db.execute(query))
    return pairs
