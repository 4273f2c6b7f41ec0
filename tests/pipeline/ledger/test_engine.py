"""Engines: durable commits, writers that wait, readers that do not, and clear errors."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.schema.core import Account, Store
from pipeline.ledger.schema.fences import Fence
from tests.pipeline.ledger.rows import NOW


@pytest.mark.parametrize("url", ["mysql://here/db", "sqlite+aiosqlite:///x.db", "nonsense", ""])
def test_an_unknown_database_is_refused(url):
    with pytest.raises(Misconfigured):
        make_engine(url)


def test_a_refused_url_is_not_repeated():
    with pytest.raises(Misconfigured) as refused:
        make_engine("mysql://me:secret@here/db")

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_through_psycopg_3(scheme):
    assert make_engine(f"{scheme}://me@here/db").driver == "psycopg"


def test_an_sqlite_commit_survives_a_power_cut(tmp_path):
    """journal_mode WAL with synchronous FULL (2) syncs the log on every commit."""
    engine = make_engine(f"sqlite:///{tmp_path}/x.db")
    with reading(engine) as conn:
        modes = [conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    engine.dispose()

    assert modes == ["wal", 2]


def test_a_row_cannot_point_to_nothing(engine):
    with pytest.raises(IntegrityError), writing(engine) as conn:
        conn.execute(insert(Store).values(name="x", account_id=99, created_at=NOW))


def test_a_transaction_that_raises_writes_nothing(engine):
    twice = [{"name": "x", "created_at": NOW}] * 2
    with pytest.raises(IntegrityError), writing(engine) as conn:
        conn.execute(insert(Account), twice)

    with reading(engine) as conn:
        assert conn.execute(select(Account)).all() == []


def test_a_reader_does_not_wait_for_a_writer(engine):
    with writing(engine) as writer, reading(engine) as reader:
        writer.execute(insert(Account).values(name="x", created_at=NOW))

        assert reader.execute(select(Account)).all() == []


def test_a_reading_transaction_cannot_write(engine):
    with pytest.raises(DBAPIError), reading(engine) as conn:
        conn.execute(insert(Account).values(name="x", created_at=NOW))


def test_a_connection_that_has_written_cannot_write_while_it_reads(engine):
    with writing(engine) as conn:
        conn.execute(insert(Account).values(name="x", created_at=NOW))
    with pytest.raises(DBAPIError), reading(engine) as conn:
        conn.execute(insert(Account).values(name="y", created_at=NOW))

    with reading(engine) as conn:
        assert conn.execute(select(Account.name)).scalars().all() == ["x"]


def test_query_only_is_set_only_when_it_changes(engine):
    statements = []
    event.listen(engine, "before_cursor_execute", lambda _, __, statement, *___: statements.append(statement))
    for begin in (writing, writing, reading, reading, writing):
        with begin(engine):
            pass

    changes = [statement for statement in statements if "query_only" in statement]
    assert len(changes) == (3 if engine.dialect.name == "sqlite" else 0)


def test_a_connection_that_has_read_can_write_again(engine):
    for name in ("first", "second"):
        with reading(engine) as conn:
            conn.execute(select(Account)).all()
        with writing(engine) as conn:
            conn.execute(insert(Fence).values(name=name, token=1))

    with reading(engine) as conn:
        assert len(conn.execute(select(Fence)).all()) == 2


def test_text_that_a_database_refuses_is_cleaned_before_it_is_written(engine):
    with writing(engine) as conn:
        row = {"name": "x", "account_id": 1, "created_at": NOW, "forward_also": ["a\0b", "\ud800", "\\u0000", "é🎁"]}
        conn.execute(insert(Account).values(id=1, name="x", created_at=NOW))
        conn.execute(insert(Store).values(row))

        assert conn.execute(select(Store.forward_also)).scalar_one() == ["ab", "\ufffd", "\\u0000", "é🎁"]


@pytest.mark.slow
def test_four_writers_that_read_first_all_succeed(database_url):
    """Each reads a number and writes the next one: a writer that did not wait would fail or lose a step."""
    seed = make_engine(database_url)
    with writing(seed) as conn:
        conn.execute(insert(Fence).values(name="counter", token=0))
    failures: list[Exception] = []
    writers = [threading.Thread(target=_count_up, args=(database_url, 25, failures)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    with reading(seed) as conn:
        counted = conn.execute(select(Fence.token)).scalar_one()
    seed.dispose()
    assert (failures, counted) == ([], 100)


def _count_up(url: str, times: int, failures: list[Exception]) -> None:
    engine = make_engine(url)
    try:
        for _ in range(times):
            with writing(engine) as conn:
                token = conn.execute(select(Fence.token).with_for_update()).scalar_one()
                conn.execute(Fence.__table__.update().values(token=token + 1))
    except DBAPIError as failure:
        failures.append(failure)
    finally:
        engine.dispose()
