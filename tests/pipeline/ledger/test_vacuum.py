"""What is deleted leaves the files, and its space returns to the disk."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from random import Random
from typing import NamedTuple

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from pipeline.core.slice_size import SliceSize
from pipeline.ledger import engine as ledger_engine
from pipeline.ledger import vacuum
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.migrations import migrate
from pipeline.ledger.schema.core import Account
from pipeline.ledger.vacuum import can_give_back, count_free_pages, rewrite_once, vacuum_all, vacuum_step
from tests.pipeline.ledger.rows import NOW

SECRET = "robin.the.deleted"
ROWS = 2_000


class Usage(NamedTuple):
    free: int


def fill(engine: Engine) -> None:
    with writing(engine) as conn:
        conn.execute(insert(Account), [{"name": f"{SECRET}-{n:06}" * 20, "created_at": NOW} for n in range(ROWS)])


def empty(engine: Engine) -> None:
    with writing(engine) as conn:
        conn.execute(delete(Account))


def trace(engine: Engine, note: Callable[[str], object]) -> None:
    """Have each statement of the engine's one connection noted before it runs."""
    with reading(engine) as conn:
        conn.connection.driver_connection.set_trace_callback(note)


@pytest.fixture
def emptied(tmp_path, migrated_sqlite):
    """A SQLite ledger whose rows were deleted."""
    shutil.copy(migrated_sqlite, tmp_path / "x.db")
    engine = make_engine(f"sqlite:///{tmp_path}/x.db")
    fill(engine)
    empty(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def engine_of_split_pages(tmp_path, migrated_sqlite):
    """A SQLite ledger whose rows have grown again and again, so that its pages were split; some rows are secret."""
    shutil.copy(migrated_sqlite, tmp_path / "x.db")
    engine = make_engine(f"sqlite:///{tmp_path}/x.db")
    rng = Random(0)
    with writing(engine) as conn:
        names = [f"{SECRET if n % 5 == 0 else 'another'}-{n:04}" for n in range(400)]
        conn.execute(insert(Account), [{"name": name, "created_at": NOW} for name in names])
        ids = conn.execute(select(Account.id)).scalars().all()
        for _ in range(400):
            grown = update(Account).where(Account.id == rng.choice(ids))
            conn.execute(grown.values(name=Account.name + "x" * rng.randrange(600)))
    yield engine
    engine.dispose()


@pytest.fixture
def old_file(tmp_path, migrated_sqlite):
    """The file of a version that gave no space back, with rows."""
    path = tmp_path / "old.db"
    shutil.copy(migrated_sqlite, path)
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA auto_vacuum = NONE")
        conn.execute("VACUUM")
    engine = make_engine(f"sqlite:///{path}")
    fill(engine)
    engine.dispose()
    return path


def test_a_new_ledger_can_give_space_back(engine):
    assert can_give_back(engine)


def test_a_step_cuts_free_pages_off_the_file(emptied):
    before, _ = count_free_pages(emptied)

    freed = vacuum_step(emptied, SliceSize(size=10))

    assert freed >= 10
    assert count_free_pages(emptied)[0] == before - freed


def test_nothing_of_a_deleted_row_is_in_the_files_after_the_vacuum(emptied, tmp_path):
    assert vacuum_all(emptied)

    assert count_free_pages(emptied)[0] == 0
    assert not [path for path in tmp_path.iterdir() if SECRET.encode() in path.read_bytes()]


def test_pages_that_were_split_keep_nothing_of_deleted_rows(engine_of_split_pages, tmp_path):
    with writing(engine_of_split_pages) as conn:
        conn.execute(delete(Account).where(Account.name.startswith(SECRET)))

    assert vacuum_all(engine_of_split_pages)

    assert SECRET.encode() not in (tmp_path / "x.db").read_bytes()


def test_a_large_file_is_not_written_anew(emptied, monkeypatch):
    monkeypatch.setattr(vacuum, "_MAX_REWRITTEN_BYTES", 1)
    statements: list[str] = []
    trace(emptied, statements.append)

    assert vacuum_all(emptied)

    assert count_free_pages(emptied)[0] == 0
    assert "VACUUM" not in statements


def test_a_file_that_is_being_written_gives_its_space_back_step_by_step(emptied, tmp_path):
    with reading(emptied) as conn:
        conn.exec_driver_sql("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        trace(
            emptied, lambda statement: "incremental_vacuum" in statement and other.in_transaction and other.rollback()
        )

        assert vacuum_all(emptied)

    assert count_free_pages(emptied)[0] == 0


def test_a_reader_that_goes_on_reading_is_reported(emptied):
    with reading(emptied) as conn:
        conn.execute(select(Account)).all()

        assert not vacuum_all(emptied, sleep=lambda _: None)


def test_rows_that_are_left_survive_the_vacuum(engine):
    fill(engine)
    with writing(engine) as conn:
        conn.execute(delete(Account).where(Account.name > f"{SECRET}-000003"))

    vacuum_all(engine)

    with reading(engine) as conn:
        assert len(conn.execute(select(Account)).all()) == 3


def test_the_vacuum_leaves_the_connections_usable(engine):
    vacuum_all(engine)

    fill(engine)
    with pytest.raises(Exception, match="read"), reading(engine) as conn:
        conn.execute(delete(Account))


def test_a_file_of_an_older_version_is_rewritten_once(old_file):
    said: list[str] = []
    url = f"sqlite:///{old_file}"

    migrate(url, said.append)
    migrate(url, said.append)

    engine = make_engine(url)
    assert (can_give_back(engine), len(said)) == (True, 1)
    assert said[0].startswith("Rewriting the database once (")
    with reading(engine) as conn:
        assert len(conn.execute(select(Account)).all()) == ROWS
    engine.dispose()


def test_a_file_is_not_rewritten_without_room_for_it(old_file, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(vacuum.shutil, "disk_usage", lambda _: Usage(old_file.stat().st_size))

    rewrite_once(f"sqlite:///{old_file}", said.append)

    engine = make_engine(f"sqlite:///{old_file}")
    assert (can_give_back(engine), "Free some space" in said[0]) == (False, True)
    assert vacuum_step(engine, SliceSize()) == 0
    engine.dispose()


def test_a_file_that_is_in_use_is_rewritten_another_time(old_file, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(ledger_engine, "_SQLITE_PRAGMAS", ("PRAGMA busy_timeout = 1",))
    with closing(sqlite3.connect(old_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        rewrite_once(f"sqlite:///{old_file}", said.append)

    assert said[-1].startswith("The database was not rewritten (database is locked)")
