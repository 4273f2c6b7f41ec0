"""Database trouble loses no hook: it is reported, and hooks are processed when it is over."""

from __future__ import annotations

import os
from dataclasses import replace

import psycopg
import pytest
import structlog

from pipeline.inbox import stream
from pipeline.infra import redis_keys
from pipeline.ledger.engine import make_engine
from pipeline.ledger.schema import core
from pipeline.monitoring.database_trouble import get_reported_trouble
from tasks import process
from tasks.chain import start_chain
from tests.installation import Installation, order_hook
from tests.tasks.inline_worker import run_all


@pytest.fixture
def on_postgres(installed, empty_postgres):
    """The installation with PostgreSQL for its ledger, whose role can lose its rights."""
    with psycopg.connect(empty_postgres, autocommit=True) as admin:
        admin.execute("CREATE ROLE worker LOGIN")
        admin.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO worker")
        admin.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO worker")
        engine = make_engine(empty_postgres.replace("cratewire@", "worker@"))
        context = replace(installed.process, engine=engine)
        process._contexts[os.getpid()] = context
        yield Installation(context, installed.environment), admin
        engine.dispose()
        admin.execute("DROP OWNED BY worker")
        admin.execute("DROP ROLE worker")


def chain(installed):
    """Run the tasks of the chain once."""
    start_chain()
    run_all("hooks")


def test_a_right_that_is_missing_kills_no_hook_is_named_and_later_hooks_wait_behind_it(on_postgres):
    installed, admin = on_postgres
    installed.connect({})
    admin.execute("REVOKE INSERT ON facts FROM worker")
    installed.receive(*(order_hook(number) for number in range(6)))
    with structlog.testing.capture_logs() as lines:
        chain(installed)
    installed.receive(order_hook(6))
    chain(installed)

    assert (installed.rows(core.DeadHook), installed.rows(core.Event)) == ([], [])
    assert stream.depth(installed.process.redis) == 7
    found = get_reported_trouble(installed.process.redis)
    assert (found.code, found.task, "GRANT" in found.advice) == ("42501", "hooks.fan_out", True)
    assert [line["detail"] for line in lines if line.get("code") == "42501"] == ["permission denied for table facts"]

    admin.execute("GRANT INSERT ON facts TO worker")
    chain(installed)

    assert [row.subject_id for row in installed.rows(core.Event)] == list(range(7))


def fail_with(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize("error", [OSError(24, "too many open files"), AttributeError("of another version")])
def test_an_error_that_no_hook_is_named_for_counts_as_no_try_of_any(installed, monkeypatch, error):
    installed.connect({})
    installed.receive(order_hook(1))
    with monkeypatch.context() as broken:
        broken.setattr(stream, "get_raw_bodies", fail_with(error))
        broken.setattr("pipeline.processing.chain_run.decode_batch", fail_with(error))
        for _ in range(5):
            chain(installed)
    chain(installed)

    assert installed.rows(core.DeadHook) == []
    assert [row.subject_id for row in installed.rows(core.Event)] == [1]


def test_a_body_that_needs_all_memory_while_it_is_recorded_is_set_aside_after_three_tries(installed, monkeypatch):
    installed.connect({})
    installed.receive(order_hook(1))
    with monkeypatch.context() as broken:
        broken.setattr("pipeline.processing.record.record_batch", fail_with(MemoryError()))
        for _ in range(3):
            start_chain()
            run_all("hooks")
            installed.process.redis.delete(redis_keys.INBOX_LEASE)
    chain(installed)

    assert [row.reason for row in installed.rows(core.DeadHook)] == ["poison"]
