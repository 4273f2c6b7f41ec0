"""Rows for tests of the ledger, with only the columns that a test needs. All people are invented."""

from __future__ import annotations

import zlib
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from pipeline.ledger.connections import ConnectionRow, NewConnection, save_connection
from pipeline.ledger.schema import core
from pipeline.ledger.stores import StoreRow, save_store

NOW = 1_772_470_000_000_000


def add_store(conn: Connection, name: str = "sunny-box", **settings: Any) -> StoreRow:
    return save_store(conn, name, NOW, **settings)


def add_connection(conn: Connection, store_id: int, **more: Any) -> ConnectionRow:
    given = {"platform": "customerio", "account": "env-1", "config": b"sealed", **more}
    return save_connection(conn, NewConnection(store_id, **given), NOW)


def add_person(conn: Connection, store_id: int, email: str | None = "bea@example.com", **more: Any) -> int:
    row = {"store_id": store_id, "email": email, "attributes": {}, "known_at": NOW, "created_at": NOW, **more}
    person_id: int = conn.execute(insert(core.Person).values(row).returning(core.Person.id)).scalar_one()
    keys = [("email", email), ("customer", more.get("customer_id"))]
    rows = [
        {"store_id": store_id, "kind": kind, "value": str(value), "person_id": person_id}
        for kind, value in keys
        if value is not None
    ]
    if rows:
        conn.execute(insert(core.PersonKey), rows)
    return person_id


def add_event(conn: Connection, store_id: int, number: int = 1, raw: bytes = b"{}", **more: Any) -> int:
    texts = {"name": "order_new", "happening": f"order_new:{number}", "ulid": f"ulid-{number}", "source": "hook"}
    facts = {"receipt": f"receipt-{number}", "form": "B", "is_test": False, "outcome": "forwarded", "notes": []}
    bodies: dict[str, Any] = {"data": {"id": number}, "unknown": [], "subject": "order", "subject_id": number}
    stages = ("occurred_at", "received_at", "decoded_at", "validated_at", "recorded_at")
    times = {stage: NOW + step for step, stage in enumerate(stages)}
    row = {"store_id": store_id, **texts, **facts, **bodies, **times, **more}
    event_id: int = conn.execute(insert(core.Event).values(row).returning(core.Event.id)).scalar_one()
    conn.execute(insert(core.Body).values(event_id=event_id, raw=zlib.compress(raw)))
    return event_id


def add_deliveries(conn: Connection, link: ConnectionRow, person_id: int, count: int = 1, **more: Any) -> list[int]:
    row = {"store_id": link.store_id, "connection_id": link.id, "lane": 0, "person_id": person_id, "kind": "event"}
    message = {"customer_id": 7001, "email": "bea@example.com", "at": 1_772_470_000}
    rows = [
        {**row, "name": "order_new", "message": {**message, "data": {"number": n}}, "created_at": NOW + n, **more}
        for n in range(count)
    ]
    made = insert(core.Delivery).returning(core.Delivery.id, sort_by_parameter_order=True)
    return list(conn.execute(made, rows).scalars())


def delivery(conn: Connection, delivery_id: int) -> Row[Any]:
    return conn.execute(select(core.Delivery).where(core.Delivery.id == delivery_id)).one()


def statuses(conn: Connection) -> list[str]:
    return list(conn.execute(select(core.Delivery.status).order_by(core.Delivery.id)).scalars())


def add_dead_hook(conn: Connection, number: int = 1, died_at: int = NOW, **more: Any) -> int:
    row = {"store": "sunny-box", "version": 1, "event": "order_new", "receipt": f"dead-{number}", "stage": "decode"}
    known = {"reason": "not_json", "detail": {"at": 3}, "raw": zlib.compress(b"{oops"), "query": None}
    times = {"received_at": NOW, "died_at": died_at}
    made = insert(core.DeadHook).values({**row, **known, **times, **more}).returning(core.DeadHook.id)
    dead_id: int = conn.execute(made).scalar_one()
    return dead_id
