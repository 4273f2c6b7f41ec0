"""A whole ledger is copied from SQLite to PostgreSQL, and used there."""

from __future__ import annotations

import json
import shutil

import pytest
from sqlalchemy import inspect, select

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.operations.copy_database import BATCH_ROWS, copy_database
from tests.pipeline.ledger.rows import add_connection, add_dead_hook, add_deliveries, add_event, add_person, add_store


@pytest.fixture
def old(tmp_path, migrated_sqlite):
    """The URL of an SQLite with something of everything."""
    path = tmp_path / "old ledger.db"
    shutil.copy(migrated_sqlite, path)
    url = f"sqlite:///{path}"
    engine = make_engine(url)
    with writing(engine) as conn:
        store = add_store(conn, "acme", forward_also=["design_updated"]).id
        link = add_connection(conn, store, config=b"\x00\xffsealed")
        person = add_person(
            conn, store, "zoë@example.com", customer_id=7001, attributes={"first_name": "😀", "n": 2**60}
        )
        for number in range(3):
            add_event(conn, store, number, data={"id": number, "note": None})
        add_deliveries(conn, link, person, 2 * BATCH_ROWS + 1)
        add_dead_hook(conn)
    engine.dispose()
    return url


def contents(url):
    """Every row of every table, in an order and a form of our own."""
    engine = make_engine(url)
    with reading(engine) as conn:
        found = {table.name: sorted(map(_plain, conn.execute(select(table)))) for table in list_all_tables()}
    engine.dispose()
    return found


def _plain(row):
    return json.dumps([*row], default=repr, sort_keys=True)


def test_all_rows_are_copied_unchanged(old, empty_postgres):
    copied = copy_database(old, empty_postgres)

    assert contents(empty_postgres) == contents(old)
    assert (copied["events"], copied["deliveries"], copied["stores"]) == (3, 2 * BATCH_ROWS + 1, 1)


def test_missing_json_stays_missing_and_null_stays_null(old, empty_postgres):
    engine = make_engine(old)
    with engine.begin() as conn:
        conn.exec_driver_sql("UPDATE deliveries SET detail = NULL, notes = 'null' WHERE id = 1")
    engine.dispose()

    copy_database(old, empty_postgres)

    engine = make_engine(empty_postgres)
    with reading(engine) as conn:
        first = conn.exec_driver_sql("SELECT detail IS NULL, notes = 'null' FROM deliveries WHERE id = 1").one()
    engine.dispose()
    assert first == (True, True)


def test_ids_continue_where_they_ended(old, empty_postgres):
    copy_database(old, empty_postgres)

    engine = make_engine(empty_postgres)
    with writing(engine) as conn:
        assert add_event(conn, 1, 99) == 4
        assert add_store(conn, "moon").id == 2
    engine.dispose()


def test_ids_of_deleted_rows_are_not_issued_again(old, empty_postgres):
    engine = make_engine(old)
    with writing(engine) as conn:
        conn.exec_driver_sql("DELETE FROM dead_hooks")
    engine.dispose()

    copy_database(old, empty_postgres)

    engine = make_engine(empty_postgres)
    with writing(engine) as conn:
        add_dead_hook(conn)
        assert conn.exec_driver_sql("SELECT id FROM dead_hooks").scalar_one() == 2
    engine.dispose()


def test_a_database_that_is_not_empty_is_left_alone(old, empty_postgres):
    engine = make_engine(empty_postgres)
    with writing(engine) as conn:
        add_store(conn, "moon")
    engine.dispose()

    with pytest.raises(Misconfigured, match="not empty"):
        copy_database(old, empty_postgres)
    assert contents(empty_postgres)["events"] == []


def test_a_copy_that_fails_halfway_leaves_nothing_behind(old, empty_postgres):
    engine = make_engine(old)
    with engine.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE dead_hooks SET reason = 'a' || char(0) || 'b'"
        )  # the last table; PostgreSQL takes none
    engine.dispose()

    with pytest.raises(Exception, match="NUL"):
        copy_database(old, empty_postgres)
    assert contents(empty_postgres)["stores"] == []


def test_a_missing_file_is_not_created(tmp_path, empty_postgres):
    with pytest.raises(Misconfigured, match="there is no database"):
        copy_database(f"sqlite:///{tmp_path}/nowhere.db", empty_postgres)
    assert not (tmp_path / "nowhere.db").exists()


def test_a_ledger_of_another_version_is_not_copied(tmp_path, empty_postgres):
    (tmp_path / "empty.db").write_bytes(b"")

    with pytest.raises(Misconfigured, match="of another version"):
        copy_database(f"sqlite:///{tmp_path}/empty.db", empty_postgres)


def test_copying_to_sqlite_is_refused(old, empty_postgres):
    with pytest.raises(Misconfigured, match="and not otherwise"):
        copy_database(empty_postgres, old)


def test_every_table_of_the_database_is_copied(old):
    engine = make_engine(old)
    there = set(inspect(engine).get_table_names())
    engine.dispose()

    assert there - {"alembic_version"} == {table.name for table in list_all_tables()}
    assert core.Event.__table__ in list_all_tables()
