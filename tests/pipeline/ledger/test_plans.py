"""Queries that run every second, or for every page, never scan a table.

Twenty thousand sent deliveries are enough for PostgreSQL's planner to prefer an index to a scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, insert

from pipeline.ledger.counts.keys import HOUR_US
from pipeline.ledger.deliveries import acquire_lane, claim, find_next_priority, list_due_lanes, peek_lane
from pipeline.ledger.engine import writing
from pipeline.ledger.queries import (
    DeadLetterCursor,
    EventFilter,
    count_by_connection,
    find_people,
    get_event,
    list_dead_letters,
    list_events,
    load_change_tokens,
    load_flow,
)
from pipeline.ledger.queries.replays import list_refused_messages
from pipeline.ledger.schema.base import Base
from pipeline.ledger.schema.core import DeadHook, Delivery, Event, EventPerson, Person, PersonKey, ProfileSent
from pipeline.operations.figures import load_figures
from pipeline.recording.load import load_revoked_dead_letters
from tests.pipeline.ledger.conftest import StoreSetup
from tests.pipeline.ledger.rows import NOW, add_deliveries

BIG = ("deliveries", "events", "dead_hooks", "event_people", "person_keys", "introductions")
EVENT_IDS = range(1000, 2500)
MANY = ("stores", "connections", "lanes")
Statement = tuple[str, Any]


@pytest.fixture
def busy_shop(shop: StoreSetup) -> StoreSetup:
    """A shop that has sent a lot, with a little waiting and a little dead in each of two lanes."""
    row = {"store_id": shop.store.id, "connection_id": shop.link.id, "person_id": shop.person_id, "kind": "event"}
    done = {**row, "message": {}, "status": "sent", "created_at": NOW, "done_at": NOW, "token": 1}
    with writing(shop.engine) as conn:
        _fill(conn, shop)
        sent = [{**done, "lane": n % 2, "event_id": EVENT_IDS[n % len(EVENT_IDS)]} for n in range(20_000)]
        conn.execute(insert(Delivery), sent)
        for lane in (0, 1):
            add_deliveries(conn, shop.link, shop.person_id, 20, lane=lane)
            add_deliveries(conn, shop.link, shop.person_id, 20, lane=lane, status="dead", done_at=NOW, reason="x")
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("ANALYZE")  # it does so by itself after a while; SQLite never does
    return shop


def _fill(conn: Connection, shop: StoreSetup) -> None:
    event = {"store_id": shop.store.id, "name": "order_new", "source": "hook", "form": "B", "outcome": "forwarded"}
    event |= {"is_test": False, "notes": [], "unknown": [], "data": {}, "subject": "order"}
    event |= dict.fromkeys(("occurred_at", "received_at", "decoded_at", "validated_at", "recorded_at"), NOW)
    person = {"store_id": shop.store.id, "attributes": {}, "known_at": NOW, "created_at": NOW}
    dead = {"store": "sunny-box", "version": 1, "event": "order_new", "stage": "decode", "reason": "x", "raw": b""}
    dead |= {"detail": {}, "received_at": NOW, "died_at": NOW, "replayed_at": NOW}
    rows: dict[type[Base], Callable[[int], dict[str, Any]]] = {
        Event: lambda n: event | {"id": n, "happening": str(n), "ulid": f"u{n}", "receipt": f"r{n}", "subject_id": n},
        Person: lambda n: person | {"id": n},
        PersonKey: lambda n: {"store_id": shop.store.id, "kind": "email", "value": f"{n}@x.io", "person_id": n},
        EventPerson: lambda n: {"event_id": n, "person_id": n, "role": "customer"},
        ProfileSent: lambda n: {"connection_id": shop.link.id, "person_id": n},
        DeadHook: lambda n: dead | {"receipt": f"dead-{n}"},
    }
    for table, row in rows.items():
        conn.execute(insert(table), [row(n) for n in EVENT_IDS])


@contextmanager
def watched(engine: Engine) -> Iterator[list[Statement]]:
    """Collects the statements executed inside the block."""
    seen: list[Statement] = []

    def watch(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", watch)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", watch)


def scanned(conn: Connection, statement: Statement, tables: Sequence[str] = BIG) -> set[str]:
    """Those of the tables that this statement would read whole."""
    text, parameters = statement
    if conn.dialect.name == "sqlite":
        plan = [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters)]
        return {table for table in tables if f"SCAN {table}" in plan}  # with an index it says "SCAN … USING INDEX …"
    plan = conn.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {text}", parameters).scalar_one()
    return {table for table in tables if _seq_scans(plan[0]["Plan"], table)}


def _seq_scans(node: dict[str, Any], table: str) -> bool:
    here = node["Node Type"] == "Seq Scan" and node.get("Relation Name") == table
    return here or any(_seq_scans(child, table) for child in node.get("Plans", ()))


ASKED: dict[str, Callable[[Connection, StoreSetup], object]] = {
    "take": lambda conn, shop: acquire_lane(conn, shop.link.id, 0, NOW),
    "claim": lambda conn, shop: claim(conn, acquire_lane(conn, shop.link.id, 0, NOW), 100),
    "due": lambda conn, _: list_due_lanes(conn, NOW),
    "pending": lambda conn, shop: find_next_priority(conn, shop.link.id, 0),
    "look": lambda conn, shop: peek_lane(conn, shop.link.id, 0),
    "status": lambda conn, _: count_by_connection(conn, NOW),
    "dead": lambda conn, _: list_dead_letters(conn, limit=10),
    "dead, next page": lambda conn, _: list_dead_letters(conn, before=DeadLetterCursor(NOW, "delivery", 9), limit=10),
    "events": lambda conn, _: list_events(conn, before=2000, limit=10),
    "events by name": lambda conn, _: list_events(conn, EventFilter(store="sunny-box", name="rare"), limit=10),
    "events by outcome": lambda conn, _: list_events(conn, EventFilter(store="sunny-box", outcome="rare"), limit=10),
    "events by subject": lambda conn, _: list_events(
        conn, EventFilter(store="sunny-box", subject=("order", 1001)), limit=10
    ),
    "dead hooks of revoked URLs": lambda conn, _: load_revoked_dead_letters(conn, {"sunny-box", "other"}),
    "flow": lambda conn, shop: load_flow(conn, [shop.store.id], NOW - HOUR_US, NOW, "hour"),
    "figures": lambda conn, shop: load_figures(conn, {shop.store.id: "sunny-box"}, NOW),
    "changes of a store": lambda conn, shop: load_change_tokens(conn, [shop.store.id]),
    "refused messages": lambda conn, shop: list_refused_messages(conn, shop.store.id, until=NOW, after=0, limit=10),
    "person": lambda conn, _: find_people(conn, "bea@example.com"),
    "event": lambda conn, _: get_event(conn, "u1077"),
}


# PostgreSQL reads a table of 1,500 rows whole rather than the 200 that it expects to need of it.
FEW_EVENTS = {"flow": {"events"}, "figures": {"events"}}


def test_no_frequent_query_scans_a_table(busy_shop):
    found: dict[str, set[str]] = {}
    for name, ask in ASKED.items():
        with writing(busy_shop.engine) as conn:
            with watched(busy_shop.engine) as statements:
                ask(conn, busy_shop)
            found[name] = set().union(*(scanned(conn, statement) for statement in statements))
            if conn.dialect.name == "postgresql":
                found[name] -= FEW_EVENTS.get(name, set())

    assert found == {name: set() for name in ASKED}


def test_a_table_scan_is_detected(busy_shop):
    with writing(busy_shop.engine) as conn:
        assert scanned(conn, ("SELECT count(*) FROM deliveries WHERE reason = 'x'", ())) == {"deliveries"}


@pytest.mark.parametrize("connections", [pytest.param(None, id="the sweep"), pytest.param([1, 2], id="a batch")])
def test_finding_due_lanes_does_not_scan_all_connections_on_sqlite(shop, connections):
    """PostgreSQL plans by the tables' sizes, so small tables prove nothing there."""
    if shop.engine.dialect.name != "sqlite":
        pytest.skip("one database's planner")

    with writing(shop.engine) as conn:
        with watched(shop.engine) as statements:
            list_due_lanes(conn, NOW, connections)

        assert set().union(*(scanned(conn, statement, MANY + BIG) for statement in statements)) == set()
