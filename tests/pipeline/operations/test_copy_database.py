"""A whole ledger goes from SQLite to PostgreSQL, and goes on there."""

from __future__ import annotations

import json
import shutil

import pytest
from sqlalchemy import inspect, select

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.core import Base
from pipeline.operations.copy_database import BATCH_ROWS, copy_database
from tests.pipeline.ledger.rows import add_connection, add_dead_hook, add_deliveries, add_event, add_person, add_store


@pytest.fixture
def old(tmp_path, migrated_sqlite):
    """The URL of an SQLite with something of everything."""
    path = tmp_path / "old ledger.db"
    shutil.copy(migrated_sqlite, path)
    url = f"sqlite:///{path}"
    engine = make_engine(url)
    with writing(engine) as db:
        store = add_store(db, "acme", forward_also=["design_updated"]).id
        link = add_connection(db, store, config=b"\x00\xffsealed")
        person = add_person(db, store, "zoë@example.com", customer_id=7001, attributes={"first_name": "😀", "n": 2**60})
        for number in range(3):
            add_event(db, store, number, data={"id": number, "note": None})
        add_deliveries(db, link, person, 2 * BATCH_ROWS + 1)
        add_dead_hook(db)
    engine.dispose()
    return url


def contents(url):
    """Every row of every table, in an order and a form of our own."""
    engine = make_engine(url)
    with reading(engine) as db:
        found = {table.name: sorted(map(_plain, db.execute(select(table)))) for table in Base.metadata.sorted_tables}
    engine.dispose()
    return found


def _plain(row):
    return json.dumps([*row], default=repr, sort_keys=True)


def test_everything_is_there_as_it_was(old, empty_postgres):
    copied = copy_database(old, empty_postgres)

    assert contents(empty_postgres) == contents(old)
    assert (copied["events"], copied["deliveries"], copied["stores"]) == (3, 2 * BATCH_ROWS + 1, 1)


def test_what_is_missing_stays_missing_and_a_null_stays_a_null(old, empty_postgres):
    engine = make_engine(old)
    with engine.begin() as db:
        db.exec_driver_sql("UPDATE deliveries SET detail = NULL, notes = 'null' WHERE id = 1")
    engine.dispose()

    copy_database(old, empty_postgres)

    engine = make_engine(empty_postgres)
    with reading(engine) as db:
        first = db.exec_driver_sql("SELECT detail IS NULL, notes = 'null' FROM deliveries WHERE id = 1").one()
    engine.dispose()
    assert first == (True, True)


def test_ids_go_on_where_they_ended(old, empty_postgres):
    copy_database(old, empty_postgres)

    engine = make_engine(empty_postgres)
    with writing(engine) as db:
        assert add_event(db, 1, 99) == 4
        assert add_store(db, "moon").id == 2
    engine.dispose()


def test_ids_of_rows_that_were_deleted_are_not_given_again(old, empty_postgres):
    engine = make_engine(old)
    with writing(engine) as db:
        db.exec_driver_sql("DELETE FROM dead_hooks")
    engine.dispose()

    copy_database(old, empty_postgres)

    engine = make_engine(empty_postgres)
    with writing(engine) as db:
        add_dead_hook(db)
        assert db.exec_driver_sql("SELECT id FROM dead_hooks").scalar_one() == 2
    engine.dispose()


def test_a_database_with_something_in_it_is_left_alone(old, empty_postgres):
    engine = make_engine(empty_postgres)
    with writing(engine) as db:
        add_store(db, "moon")
    engine.dispose()

    with pytest.raises(Misconfigured, match="not empty"):
        copy_database(old, empty_postgres)
    assert contents(empty_postgres)["events"] == []


def test_what_fails_halfway_leaves_nothing_behind(old, empty_postgres):
    engine = make_engine(old)
    with engine.begin() as db:
        db.exec_driver_sql(
            "UPDATE dead_hooks SET reason = 'a' || char(0) || 'b'"
        )  # the last table; PostgreSQL takes none
    engine.dispose()

    with pytest.raises(Exception, match="NUL"):
        copy_database(old, empty_postgres)
    assert contents(empty_postgres)["stores"] == []


def test_a_file_that_is_not_there_is_not_made(tmp_path, empty_postgres):
    with pytest.raises(Misconfigured, match="there is no database"):
        copy_database(f"sqlite:///{tmp_path}/nowhere.db", empty_postgres)
    assert not (tmp_path / "nowhere.db").exists()


def test_a_ledger_of_another_version_is_not_copied(tmp_path, empty_postgres):
    (tmp_path / "empty.db").write_bytes(b"")

    with pytest.raises(Misconfigured, match="of another version"):
        copy_database(f"sqlite:///{tmp_path}/empty.db", empty_postgres)


def test_the_way_back_is_refused(old, empty_postgres):
    with pytest.raises(Misconfigured, match="and not otherwise"):
        copy_database(empty_postgres, old)


def test_every_table_of_the_database_is_one_that_is_copied(old):
    engine = make_engine(old)
    there = set(inspect(engine).get_table_names())
    engine.dispose()

    assert there - {"alembic_version"} == {table.name for table in Base.metadata.sorted_tables}
    assert core.Event.__table__ in Base.metadata.sorted_tables
