"""A database that is locked, stopped, full or read-only: the receiver is unaffected, the chain waits."""

from __future__ import annotations

import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg

from bench.chaos.answer_times import get_waits_ms, judge_waits
from bench.chaos.databases import POSTGRES, wait_for_postgres
from bench.chaos.disk import filled_disk
from bench.chaos.fault_run import ONLY_POSTGRESQL, Fault, FaultRun
from bench.chaos.installation import WORKERS
from bench.chaos.supervisor import SupervisedProcess
from bench.chaos.waiting import wait_until

ANSWER_MS = 1_000  # an acknowledgement, which needs no database, on a busy machine
TABLES = "events, deliveries, lanes, people"


def locked(scene: FaultRun) -> None:
    """Another connection holds the write lock for longer than any process waits for it."""
    with _check_receiver_unaffected(scene):
        if scene.row.database == "sqlite":
            _lock_sqlite(scene)
        else:
            _lock_postgres(scene)


def stopped(scene: FaultRun) -> None:
    """PostgreSQL is stopped, and later killed."""
    with _check_receiver_unaffected(scene):
        for how in (signal.SIGINT, signal.SIGKILL):
            scene.here.keeper.down(POSTGRES, how)
            time.sleep(scene.seconds(10, 3))
            scene.here.keeper.up(POSTGRES)
            wait_for_postgres(scene.here.database_url)
            time.sleep(scene.seconds(5, 2))


def unavailable_at_start(scene: FaultRun) -> None:
    """Everything starts except PostgreSQL: web stores hooks, and the rest begins once the database is up."""
    keeper = scene.here.keeper
    for name in ("web", *WORKERS, POSTGRES):
        keeper.down(name)
    keeper.up("web")
    scene.await_answers()
    migration = SupervisedProcess("migrate", [sys.executable, "-m", "receiver.cli", "migrate", "--wait"], wanted=False)
    keeper.keep(migration)
    time.sleep(scene.seconds(20, 8))
    if migration.pid is None:
        scene.add_failure("the migration did not wait for the database")
    keeper.up(POSTGRES)
    wait_for_postgres(scene.here.database_url)
    wait_until(lambda: migration.pid is None, "the migration has ended")
    for name in WORKERS:
        keeper.up(name)


def read_only(scene: FaultRun) -> None:
    """As a fallen-back replica is."""
    with _check_receiver_unaffected(scene), closing(psycopg.connect(scene.here.database_url, autocommit=True)) as db:
        db.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        db.execute("SELECT pg_reload_conf()")
        time.sleep(scene.seconds(15, 4))
        db.execute("SET default_transaction_read_only = off")
        db.execute("ALTER SYSTEM RESET default_transaction_read_only")
        db.execute("SELECT pg_reload_conf()")


def full(scene: FaultRun) -> None:
    """The ledger's disk is full."""
    place = scene.here.ledger_disk
    if place is None:
        scene.skip("a disk of its own for the ledger needs root and mounts")
        return
    with _check_receiver_unaffected(scene), filled_disk(place):
        time.sleep(scene.seconds(15, 4))


def _lock_sqlite(scene: FaultRun) -> None:
    with closing(sqlite3.connect(scene.here.ledger_file, isolation_level=None, timeout=30)) as db:
        db.execute("BEGIN IMMEDIATE")
        time.sleep(scene.seconds(25, 4))
        db.execute("ROLLBACK")


def _lock_postgres(scene: FaultRun) -> None:
    with closing(psycopg.connect(scene.here.database_url)) as db:
        db.execute("SET lock_timeout = '30s'")
        db.execute(f"LOCK TABLE {TABLES} IN ACCESS EXCLUSIVE MODE")
        time.sleep(scene.seconds(25, 4))
        db.rollback()


@contextmanager
def _check_receiver_unaffected(scene: FaultRun) -> Iterator[None]:
    started = time.time_ns() // 1000
    yield
    wrong = judge_waits(get_waits_ms(list(scene.load.sent), started, time.time_ns() // 1000), ANSWER_MS)
    if wrong:
        scene.add_failure(f"the receiver noticed: {wrong}")


FAULTS = (
    Fault("database locked", locked),
    Fault("database stopped", stopped, databases=ONLY_POSTGRESQL),
    Fault("PostgreSQL away at start", unavailable_at_start, databases=ONLY_POSTGRESQL, cuts=True),
    Fault("database read-only", read_only, databases=ONLY_POSTGRESQL),
    Fault("database disk full", full),
)
