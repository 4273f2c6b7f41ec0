"""A database that is locked, stopped, full or read-only: the receiver does not notice, the chain waits and goes on."""

from __future__ import annotations

import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg

from bench.chaos.answers import judged, waits_ms
from bench.chaos.databases import POSTGRES, await_postgres
from bench.chaos.disk import filled
from bench.chaos.installation import WORKERS, await_
from bench.chaos.keeper import Kept
from bench.chaos.scene import ONLY_POSTGRESQL, Fault, Scene

ANSWER_MS = 1_000  # an acknowledgement, which needs no database, on a busy machine
TABLES = "events, deliveries, lanes, people"


def locked(scene: Scene) -> None:
    """Somebody holds the write lock for longer than anybody waits for it."""
    with _unnoticed(scene):
        if scene.row.database == "sqlite":
            _lock_sqlite(scene)
        else:
            _lock_postgres(scene)


def stopped(scene: Scene) -> None:
    """PostgreSQL is stopped, and later killed."""
    with _unnoticed(scene):
        for how in (signal.SIGINT, signal.SIGKILL):
            scene.here.keeper.down(POSTGRES, how)
            time.sleep(scene.seconds(10, 3))
            scene.here.keeper.up(POSTGRES)
            await_postgres(scene.here.database_url)
            time.sleep(scene.seconds(5, 2))


def away_at_start(scene: Scene) -> None:
    """Everything starts while PostgreSQL does not: web keeps hooks, and the rest begins when the database is there."""
    keeper = scene.here.keeper
    for name in ("web", *WORKERS, POSTGRES):
        keeper.down(name)
    keeper.up("web")
    scene.await_answers()
    migration = Kept("migrate", [sys.executable, "-m", "receiver.cli", "migrate", "--wait"], wanted=False)
    keeper.keep(migration)
    time.sleep(scene.seconds(20, 8))
    if migration.pid is None:
        scene.broke("the migration did not wait for the database")
    keeper.up(POSTGRES)
    await_postgres(scene.here.database_url)
    await_(lambda: migration.pid is None, "the migration has ended")
    for name in WORKERS:
        keeper.up(name)


def read_only(scene: Scene) -> None:
    """As a fallen-back replica is."""
    with _unnoticed(scene), closing(psycopg.connect(scene.here.database_url, autocommit=True)) as db:
        db.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        db.execute("SELECT pg_reload_conf()")
        time.sleep(scene.seconds(15, 4))
        db.execute("SET default_transaction_read_only = off")
        db.execute("ALTER SYSTEM RESET default_transaction_read_only")
        db.execute("SELECT pg_reload_conf()")


def full(scene: Scene) -> None:
    """The ledger's disk is full."""
    place = scene.here.ledger_disk
    if place is None:
        scene.skip("a disk of its own for the ledger needs root and mounts")
        return
    with _unnoticed(scene), filled(place):
        time.sleep(scene.seconds(15, 4))


def _lock_sqlite(scene: Scene) -> None:
    with closing(sqlite3.connect(scene.here.ledger_file, isolation_level=None, timeout=30)) as db:
        db.execute("BEGIN IMMEDIATE")
        time.sleep(scene.seconds(25, 4))
        db.execute("ROLLBACK")


def _lock_postgres(scene: Scene) -> None:
    with closing(psycopg.connect(scene.here.database_url)) as db:
        db.execute("SET lock_timeout = '30s'")
        db.execute(f"LOCK TABLE {TABLES} IN ACCESS EXCLUSIVE MODE")
        time.sleep(scene.seconds(25, 4))
        db.rollback()


@contextmanager
def _unnoticed(scene: Scene) -> Iterator[None]:
    started = time.time_ns() // 1000
    yield
    wrong = judged(waits_ms(list(scene.load.told), started, time.time_ns() // 1000), ANSWER_MS)
    if wrong:
        scene.broke(f"the receiver noticed: {wrong}")


FAULTS = (
    Fault("database locked", locked),
    Fault("database stopped", stopped, databases=ONLY_POSTGRESQL),
    Fault("PostgreSQL away at start", away_at_start, databases=ONLY_POSTGRESQL, cuts=True),
    Fault("database read-only", read_only, databases=ONLY_POSTGRESQL),
    Fault("database disk full", full),
)
