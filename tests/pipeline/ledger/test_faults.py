"""Which database errors may be caused by a row, and which are faults of the server."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, insert, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.faults import classify_database_error
from pipeline.ledger.schema.core import Account
from pipeline.ledger.schema.fences import Fence

OF_VALUES = ["22001", "22003", "22021", "22P02", "22P05", "23502", "23503", "23505", "23514"]
OF_THE_SERVER = [
    *("08000", "08003", "08006", "08P01", "25006", "25P02", "26000", "28000", "28P01", "3D000", "3F000", "40001"),
    *("40P01", "42501", "42601", "42703", "42P01", "42P05", "53100", "53200", "53300", "54000", "55P03", "55006"),
    *("57014", "57P01", "57P02", "57P03", "58000", "58030", "XX000", "XX001", "99999"),
]


def refused_with(state):
    """As psycopg says it, wrapped as SQLAlchemy wraps it."""
    kind = type("Refused", (errors.DatabaseError,), {"sqlstate": state})
    return DBAPIError("INSERT", {}, kind("no"))


@pytest.mark.parametrize("state", OF_VALUES)
def test_an_error_about_values_is_no_database_fault(state):
    assert classify_database_error(refused_with(state)) is None


@pytest.mark.parametrize("state", OF_THE_SERVER)
def test_every_other_sqlstate_is_a_fault_with_advice(state):
    found = classify_database_error(refused_with(state))

    assert found.code == state
    assert found.says
    assert found.advice.endswith(".")


@pytest.mark.parametrize("error", [MemoryError(), ValueError("x"), KeyError("x"), psycopg.DataError("NUL")])
def test_other_exceptions_and_values_the_driver_refuses_are_no_faults(error):
    assert classify_database_error(error) is None


@pytest.mark.parametrize("error", [psycopg.OperationalError("gone"), psycopg.InterfaceError("closed")])
def test_a_lost_connection_is_a_fault(error):
    assert classify_database_error(error).code == "connection lost"


def raised_by(url, act):
    engine = make_engine(url)
    try:
        with pytest.raises(SQLAlchemyError) as raised:
            act(engine)
    finally:
        engine.dispose()
    return classify_database_error(raised.value)


def wrong_value(engine):
    with writing(engine) as conn:
        conn.execute(text("INSERT INTO fences (name, token) VALUES ('x', NULL)"))


def twice(engine):
    with writing(engine) as conn:
        conn.execute(insert(Fence), [{"name": "x", "token": 1}] * 2)


def no_such_table(engine):
    with writing(engine) as conn:
        conn.execute(text("INSERT INTO nowhere (name) VALUES ('x')"))


def no_such_column(engine):
    with writing(engine) as conn:
        conn.execute(text("INSERT INTO fences (nothing) VALUES ('x')"))


def write_while_reading(engine):
    with reading(engine) as conn:
        conn.execute(insert(Account).values(name="x", created_at=1))


@pytest.mark.parametrize("act", [wrong_value, twice])
def test_a_real_constraint_violation_is_no_fault(database_url, act):
    assert raised_by(database_url, act) is None


@pytest.mark.parametrize("act", [no_such_table, no_such_column])
def test_missing_tables_and_columns_advise_a_migration(database_url, act):
    assert "cratewire migrate" in raised_by(database_url, act).advice


def test_a_read_only_database_is_a_fault(database_url):
    assert raised_by(database_url, write_while_reading).says == "the database takes no writes"


def test_a_missing_right_is_named(empty_postgres):
    with psycopg.connect(empty_postgres, autocommit=True) as admin:
        admin.execute("CREATE ROLE visitor LOGIN")
        admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO visitor")
    try:
        found = raised_by(empty_postgres.replace("cratewire@", "visitor@"), twice)
    finally:
        with psycopg.connect(empty_postgres, autocommit=True) as admin:
            admin.execute("DROP OWNED BY visitor")
            admin.execute("DROP ROLE visitor")

    assert (found.code, "GRANT" in found.advice) == ("42501", True)


def test_a_stopped_server_and_a_missing_database_are_faults(empty_postgres):
    unreachable = raised_by("postgresql://u@127.0.0.1:1/x", twice)
    nowhere = raised_by(empty_postgres.replace("/postgres?", "/nowhere?"), twice)

    assert (unreachable.says, nowhere.says) == ("the database cannot be reached",) * 2


def test_an_sqlite_that_cannot_be_opened_is_a_fault(tmp_path):
    (tmp_path / "text.db").write_text("this is a text and no database at all, however long it goes on" * 90)

    assert raised_by("sqlite:////nowhere/x.db", twice).code == "SQLITE_CANTOPEN"
    assert raised_by(f"sqlite:///{tmp_path}/text.db", twice).code == "SQLITE_NOTADB"


def test_a_locked_sqlite_is_a_fault(tmp_path):
    holder = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    holder.execute("CREATE TABLE t (x)")
    holder.execute("BEGIN EXCLUSIVE")
    engine = create_engine(f"sqlite:///{tmp_path}/x.db", connect_args={"timeout": 0})
    with pytest.raises(DBAPIError) as raised, engine.connect() as conn:
        conn.execute(text("SELECT * FROM t"))
    holder.close()
    engine.dispose()

    assert classify_database_error(raised.value).code == "SQLITE_BUSY"


def test_a_closed_sqlite_is_a_fault_but_a_refused_value_is_not():
    closed = sqlite3.connect(":memory:")
    closed.close()
    with pytest.raises(sqlite3.Error) as gone:
        closed.execute("SELECT 1")
    with sqlite3.connect(":memory:") as conn, pytest.raises(sqlite3.Error) as strange:
        conn.execute("SELECT ?", (object(),))
    conn.close()

    assert classify_database_error(gone.value).code == "connection closed"
    assert classify_database_error(strange.value) is None


def test_a_pool_without_a_free_connection_is_a_fault():
    engine = create_engine("sqlite://", pool_size=1, max_overflow=0, pool_timeout=0, poolclass=QueuePool)
    table = Table("t", MetaData(), Column("x", Integer), Column("y", Text))
    with engine.connect(), pytest.raises(SQLAlchemyError) as raised, engine.connect() as conn:
        conn.execute(select(table))
    engine.dispose()

    assert classify_database_error(raised.value).code == "no connection free"
