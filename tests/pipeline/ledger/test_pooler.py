"""PostgreSQL behind PgBouncer, which gives each transaction another session of the server."""

from __future__ import annotations

import shutil
import threading

import pytest
from sqlalchemy import insert, select

from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.migrations import migrate
from pipeline.ledger.revision import current_revision, newest_revision
from pipeline.ledger.schema.core import Account
from pipeline.ledger.schema.fences import Fence
from pipeline.operations.copy_database import copy_database
from tests.pipeline.ledger.rows import NOW
from tests.servers.pgbouncer import pgbouncer

SETTINGS = {
    "statement_timeout": "1min",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "1min",
    "synchronous_commit": "on",
}


@pytest.fixture(scope="module")
def pooled_url(migrated_postgres):
    with pgbouncer(migrated_postgres) as url:
        yield url


@pytest.fixture(params=["direct", "pooled"])
def server_url(request, empty_postgres):
    return empty_postgres if request.param == "direct" else request.getfixturevalue("pooled_url")


@pytest.fixture
def server(server_url):
    engine = make_engine(server_url)
    yield engine
    engine.dispose()


def settings_in(conn):
    return {name: conn.exec_driver_sql(f"SHOW {name}").scalar_one() for name in SETTINGS}


@pytest.mark.parametrize("begin", [reading, writing])
def test_every_transaction_has_our_settings(server, begin):
    with begin(server) as conn:
        assert settings_in(conn) == SETTINGS


def test_a_pooled_session_keeps_none_of_our_settings(server):
    with writing(server) as conn:
        settings_in(conn)
    with server.connect() as conn:  # as another client of the same pooler finds it
        found = conn.connection.cursor().execute("SHOW lock_timeout").fetchone()

    assert found == ("0",)


def test_a_statement_may_be_repeated_in_any_session(server):
    """A prepared statement belongs to one session."""
    failures = []

    def ask_often():
        try:
            for number in range(30):
                with writing(server) as conn:
                    conn.execute(select(Account).where(Account.id == number)).all()
        except Exception as error:  # noqa: BLE001 whatever it is, it is what the test is about
            failures.append(error)

    askers = [threading.Thread(target=ask_often) for _ in range(6)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert failures == []


def test_many_rows_are_read_page_by_page(server):
    with writing(server) as conn:
        conn.execute(insert(Fence), [{"name": f"n{number}", "token": number} for number in range(50)])
    with reading(server) as conn:
        found = conn.execution_options(yield_per=7).execute(select(Fence.token).order_by(Fence.token))
        assert [row.token for rows in found.partitions() for row in rows] == list(range(50))


def test_a_database_is_migrated_and_filled_through_a_pooler(pooled_url, empty_postgres, migrated_sqlite, tmp_path):
    old = tmp_path / "old.db"
    shutil.copy(migrated_sqlite, old)
    engine = make_engine(f"sqlite:///{old}")
    with writing(engine) as conn:
        conn.execute(insert(Account).values(name="x", created_at=NOW))
    engine.dispose()

    migrate(pooled_url)
    copied = copy_database(f"sqlite:///{old}", pooled_url)

    assert (current_revision(pooled_url), copied["accounts"]) == (newest_revision(), 1)
