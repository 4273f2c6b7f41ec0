"""PostgreSQL's sessions: statements stay prepared where no pooler changes sessions, and dead sessions are replaced."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import event, insert, literal_column, select, update
from sqlalchemy.exc import DBAPIError

from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.faults import classify_database_error
from pipeline.ledger.postgresql_sessions import REPLAN_AFTER_S
from pipeline.ledger.schema.fences import Fence
from tests.servers.pgbouncer import pgbouncer

TIMES = 8  # more than it takes to prepare a statement


@pytest.fixture
def server(empty_postgres):
    engine = make_engine(empty_postgres, connections=1)
    with writing(engine) as conn:
        conn.execute(insert(Fence).values(name="x", token=1))
    yield engine
    engine.dispose()


@pytest.fixture
def pooled(server, empty_postgres):  # its table has the row
    with pgbouncer(empty_postgres) as url:
        engine = make_engine(url, connections=1)
        yield engine
        engine.dispose()


def ask(engine, begin=writing, times=TIMES):
    for _ in range(times):
        with begin(engine) as conn:
            conn.execute(select(Fence.token).where(Fence.name == "x")).scalar_one()


def count_prepared(engine):
    with writing(engine) as conn:
        return conn.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'fences'").scalar()


def find_process_id(engine, begin):
    with begin(engine) as conn:
        return conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()


def test_a_statement_that_a_session_often_executes_is_prepared(server):
    ask(server)

    assert count_prepared(server) == 1


def test_plans_that_are_kept_are_made_anew_after_a_while(server):
    seen = []
    event.listen(server, "before_cursor_execute", lambda _, __, statement, *___: seen.append(statement))
    ask(server)
    with server.connect() as conn:
        conn.info["planned at"] -= REPLAN_AFTER_S
    ask(server)

    replanned = ["DISCARD PLANS" in statement for statement in seen if statement.startswith("BEGIN;")]
    assert sum(replanned) == 1 + replanned[0]  # the fixture may have used the session


def test_what_only_reads_is_planned_each_time(server):
    ask(server, reading)

    assert count_prepared(server) == 0


def test_nothing_is_prepared_behind_a_pooler(pooled):
    ask(pooled)

    assert count_prepared(pooled) == 0


def test_a_table_that_was_changed_costs_one_failure(server, empty_postgres):
    with psycopg.connect(empty_postgres, autocommit=True) as admin:
        ask(server)
        admin.execute("ALTER TABLE fences ALTER COLUMN token TYPE INTEGER")
        try:
            with pytest.raises(DBAPIError) as failure:
                ask(server)
            ask(server)
        finally:
            server.dispose()
            admin.execute("ALTER TABLE fences ALTER COLUMN token TYPE BIGINT")

    assert classify_database_error(failure.value) is not None  # no hook is at fault


def test_a_pooler_that_is_not_recognised_costs_one_failure(server):
    ask(server)
    with writing(server) as conn:
        conn.exec_driver_sql("DO 'BEGIN EXECUTE ''DEALLOCATE ALL''; END'")  # unnoticed by the driver
    with pytest.raises(DBAPIError) as failure:
        ask(server)
    ask(server)

    assert classify_database_error(failure.value) is not None
    assert count_prepared(server) == 0


@pytest.mark.parametrize("begin", [reading, writing])
def test_a_session_that_the_server_has_ended_is_replaced_before_it_is_used(server, empty_postgres, begin):
    ask(server, times=1)
    ended = find_process_id(server, begin)
    with psycopg.connect(empty_postgres, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND application_name = 'cratewire'"
        )

    assert find_process_id(server, begin) != ended


def test_a_transaction_that_fails_leaves_a_session_that_can_be_used(server):
    with pytest.raises(DBAPIError), writing(server) as conn:
        conn.execute(update(Fence).values(token=literal_column("1/0")))

    with writing(server) as conn:
        assert conn.execute(select(Fence.token)).scalars().all() == [1]
