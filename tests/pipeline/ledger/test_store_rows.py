"""Every row of a store is found and deleted, and none of another store."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select

from pipeline.core.messages import Identifiers
from pipeline.ledger.deliveries.forgetting import ForgetRequest, add_forget_request
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.ledger.schema.history import AttributeChange
from pipeline.ledger.schema.regulations import Regulation
from pipeline.ledger.store_rows import OF_NO_STORE, delete_rows, list_store_tables
from tests.pipeline.ledger.rows import (
    NOW,
    add_connection,
    add_dead_hook,
    add_deliveries,
    add_event,
    add_person,
    add_store,
)

PEOPLE = 5


def add_everything(conn, name):
    """A store with a row in each table that is not of a fixed number of rows for each store."""
    store = add_store(conn, name)
    link = add_connection(conn, store.id, account=name)
    for number in range(PEOPLE):
        person = add_person(conn, store.id, f"{number}@{name}.example.com")
        event = add_event(conn, store.id, number, ulid=f"{name}-{number}", receipt=f"{name}-{number}")
        (delivery,) = add_deliveries(conn, link, person, event_id=event)
        call = {"connection_id": link.id, "method": "POST", "endpoint": "/", "items": 1, "started_at": NOW}
        call_id = conn.execute(insert(core.Call).values(**call, duration_us=1).returning(core.Call.id)).scalar_one()
        conn.execute(insert(core.DeliveryCall).values(delivery_id=delivery, call_id=call_id))
        conn.execute(insert(core.EventPerson).values(event_id=event, person_id=person, role="customer"))
        conn.execute(insert(core.Fact).values(person_id=person, kind="order", subject="1", data={}))
        conn.execute(insert(AttributeChange).values(person_id=person, at=NOW, data={}))
        conn.execute(insert(core.ProfileSent).values(connection_id=link.id, person_id=person))
        add_dead_hook(conn, receipt=f"dead-{name}-{number}", store=name)
        add_regulation(conn, link, person, f"{name}-{number}")
    return store.id


def add_regulation(conn, link, person, uid):
    """A person who was erased, and whom the platform has forgotten."""
    values = {"uid": uid, "store_id": link.store_id, "person_id": person, "kind": "erase", "at_destinations": True}
    erased = insert(Regulation).values(**values, emptied={}, created_at=NOW).returning(Regulation.id)
    regulation_id = conn.execute(erased).scalar_one()
    add_forget_request(conn, link, ForgetRequest(regulation_id, person, Identifiers((1,), ()), "delete"), NOW)


def count(engine, store_name):
    """Table -> how many rows; of all tables that have any."""
    with reading(engine) as conn:
        found = {
            table.name: conn.execute(select(func.count()).select_from(table)).scalar_one()
            for table in list_all_tables()
        }
    return {name: number for name, number in found.items() if number and name not in ("accounts", "stores")}


@pytest.mark.parametrize("limit", [2, 200])
def test_all_rows_of_a_store_are_deleted_in_slices_and_no_other(engine, limit):
    with writing(engine) as conn:
        add_everything(conn, "kept-box")
    before = count(engine, "kept-box")
    with writing(engine) as conn:
        removed = add_everything(conn, "removed-box")
    for part in list_store_tables():
        deleted = limit
        while deleted == limit:
            with writing(engine) as conn:
                deleted = delete_rows(conn, removed, part, limit)
            assert deleted <= limit

    assert count(engine, "kept-box") == before


def test_every_table_is_known_to_hold_rows_of_stores_or_none():
    parts = list_store_tables()
    deleted = {part.table.name for part in parts} | {one.table.name for part in parts for one in part.dependents}

    assert deleted | OF_NO_STORE == {table.name for table in list_all_tables()}
    assert not deleted & OF_NO_STORE
