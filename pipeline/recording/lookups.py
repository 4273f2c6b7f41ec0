"""What the ledger already knows that a batch needs: read in a handful of queries, however large the batch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection as Database
from sqlalchemy import select

from pipeline.ledger.schema import core
from pipeline.ledger.sql.keyed import select_by_keys
from pipeline.ledger.sql.tables import chunks, get_table

EventKey = tuple[int, str]  # store id, the happening's key in that store


@dataclass(frozen=True, slots=True)
class RecordingStore:
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

    def accepts(self, version: int, received_at: int) -> bool:
        """Whether a hook that came then, through a URL of this version, came through one of the store's."""
        last = version == self.token_version - 1 and received_at < (self.old_token_until or 0)
        return version == self.token_version or last


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """A happening the ledger has: its row, and the hook that told it first."""

    event_id: int | None  # None: earlier in this very batch
    received_at: int
    receipt: str


def load_stores_by_name(conn: Database, names: Collection[str]) -> dict[str, RecordingStore]:
    """The stores of a batch with the connections their messages go to. Paused connections collect theirs."""
    store, connection = get_table(core.Store), get_table(core.StoreConnection)
    # The row lock makes writers about one store wait for each other (PostgreSQL; SQLite has one writer anyway).
    rows = conn.execute(select(store).where(store.c.name.in_(names)).with_for_update(key_share=True)).all()
    wires: dict[int, list[tuple[int, int]]] = {row.id: [] for row in rows}
    columns = (connection.c.store_id, connection.c.id, connection.c.lanes)
    for wire in conn.execute(select(*columns).where(connection.c.store_id.in_(wires)).order_by(connection.c.id)):
        wires[wire.store_id].append((wire.id, wire.lanes))
    return {
        row.name: RecordingStore(
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


def find_known_events(conn: Database, keys: Collection[EventKey]) -> dict[EventKey, KnownEvent]:
    """Which of these happenings the ledger has."""
    event = get_table(core.Event).c
    by = event.store_id, event.happening
    rows = select_by_keys(conn, (*by, event.id, event.received_at, event.receipt), by, keys)
    return {(row.store_id, row.happening): KnownEvent(row.id, row.received_at, row.receipt) for row in rows}


def find_existing_profiles(conn: Database, person_ids: Collection[int]) -> set[tuple[int, int]]:
    """The (connection, person) pairs for which a profile has been sent or is on its way.

    Introductions are found through the connections of the person's store: their index begins with the connection.
    """
    person, connection, delivery = get_table(core.Person), get_table(core.StoreConnection), get_table(core.Delivery)
    introduction = get_table(core.ProfileSent)
    mine = (introduction.c.connection_id == connection.c.id) & (introduction.c.person_id == person.c.id)
    ours = person.join(connection, connection.c.store_id == person.c.store_id).join(introduction, mine)
    sent = select(introduction.c.connection_id, introduction.c.person_id).select_from(ours)
    pairs: set[tuple[int, int]] = set()
    for part in chunks(person_ids):
        pairs.update((row[0], row[1]) for row in conn.execute(sent.where(person.c.id.in_(part))))
    unsent = set(person_ids) - {person for _, person in pairs}
    for part in chunks(unsent):
        waiting = select(delivery.c.connection_id, delivery.c.person_id).distinct()
        query = waiting.where(
            delivery.c.person_id.in_(part), delivery.c.kind == "profile", delivery.c.done_at.is_(None)
        )
        pairs.update((row[0], row[1]) for row in conn.execute(query))
    return pairs
