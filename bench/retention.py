"""`python -m bench.retention`: whether hooks notice that a million old events are deleted.

A ledger is filled with events that are older than events are kept. First the sweep runs alone, in this process, and how
long each slice holds the write lock is measured. Then everything runs, and hooks are acknowledged at a steady rate,
in rounds without and with the sweep: what else this machine does meets both.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from random import SystemRandom
from typing import Any, cast

import click
import structlog
from redis import Redis
from sqlalchemy import Connection, Engine

from bench import systems
from bench.hooks import make_hooks
from bench.in_process import _SETTINGS, STORE, AcceptAllHTTP, CpuTimes, create_connected_store, push
from bench.load import Outcome, send_hooks
from bench.machine import describe_machine
from bench.measures.growth import BATCH, SEED_EVENTS, fill_ledger
from bench.platform import start_platform
from bench.processes import Folder, clean_environment
from pipeline.context import Context, now_us
from pipeline.core.slice_size import MAX_LOCK_S
from pipeline.infra import redis_keys
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.migrations import migrate
from pipeline.operations import retention
from pipeline.settings import VARIABLES

CONNECTIONS = 64
AGE_US = 500 * retention.DAY_US
ONLY_EVENTS = {"bodies": 0, "messages": 0, "calls": 0, "dead_hooks": 0}  # they go with their events
_TIMES = {
    "events": ("occurred_at", "received_at", "decoded_at", "validated_at", "recorded_at"),
    "deliveries": ("created_at", "done_at"),
    "calls": ("started_at",),
}


@click.command()
@click.option("--events", default=1_000_000, show_default=True, help="Old events in the ledger.")
@click.option("--alone", default=60, show_default=True, help="Seconds that the sweep runs alone.")
@click.option("--rounds", default=3, show_default=True, help="Rounds without and with the sweep.")
@click.option("--seconds", default=60, show_default=True, help="Of a round.")
@click.option("--per-second", default=50, show_default=True, help="Hooks.")
def main(events: int, alone: int, rounds: int, seconds: int, per_second: int) -> None:
    """Fill a ledger with old events, delete them, and compare acknowledgements without and with that."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(describe_machine(), f"load {os.getloadavg()[0]:.1f}", flush=True)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cratewire-bench-")))
        database = home / "ours" / "data" / "cratewire.db"
        database.parent.mkdir(parents=True)
        with systems.redis(Folder(home / "redis")) as redis:
            began = time.monotonic()
            _fill(database, redis, events)
            size = database.stat().st_size / 1e9
            print(f"{_count(database)} events, {size:.1f} GB, in {time.monotonic() - began:.0f} s", flush=True)
            _sweep_alone(database, redis, alone)
        _compare(stack, home, database, rounds, seconds, per_second)


def _fill(database: Path, redis: Redis, events: int) -> None:
    """Copy the rows of real hooks, which are made old before."""
    migrate(url := f"sqlite:///{database}")
    engine = make_engine(url)
    create_connected_store(engine)
    push(engine, redis, [(STORE, hook) for hook in make_hooks(SEED_EVENTS)], BATCH, CpuTimes())
    with writing(engine) as db:
        for table, columns in _TIMES.items():
            aged = ", ".join(f"{column} = {column} - {AGE_US}" for column in columns)
            db.exec_driver_sql(f"UPDATE {table} SET {aged}")  # noqa: S608 our own tables
    engine.dispose()
    fill_ledger(database, events // SEED_EVENTS - 1)


def _sweep_alone(database: Path, redis: Redis, seconds: int) -> None:
    engine = make_engine(f"sqlite:///{database}")
    days = {f"keep_{kind}_days": kept for kind, kept in ONLY_EVENTS.items()}
    http = AcceptAllHTTP()
    settings = replace(_SETTINGS, **cast("dict[str, Any]", days))
    context = Context(settings, engine, redis, now_us, http, http, SystemRandom())
    held: list[float] = []
    before, began = _count(database), time.monotonic()
    with _measuring(held):
        while time.monotonic() - began < seconds and retention.sweep(context):
            pass
    deleted, took = before - _count(database), time.monotonic() - began
    engine.dispose()
    held_ms = sorted(one * 1_000 for one in held)
    print(
        f"alone: {deleted} events in {took:.0f} s, {deleted / took:.0f} a second; {len(held)} slices held the lock for "
        f"{statistics.median(held_ms):.0f} ms (median), {held_ms[int(0.99 * (len(held_ms) - 1))]:.0f} (p99), "
        f"{held_ms[-1]:.0f} at most; {sum(one > MAX_LOCK_S * 1_000 for one in held_ms)} of them for more than 50",
        flush=True,
    )


@contextmanager
def _measuring(held: list[float]) -> Iterator[None]:
    """Note how long each of the sweep's transactions holds the write lock, broken off or not."""

    @contextmanager
    def measured(engine: Engine) -> Iterator[Connection]:
        began = 0.0
        try:
            with writing(engine) as conn:
                began = time.perf_counter()
                yield conn
        finally:
            held.append(time.perf_counter() - began)

    module: Any = retention
    module.writing = measured
    try:
        yield
    finally:
        module.writing = writing


def _compare(stack: ExitStack, home: Path, database: Path, rounds: int, seconds: int, per_second: int) -> None:
    names = {kind: VARIABLES[f"keep_{kind}_days"].name for kind in ONLY_EVENTS}
    settings = {names[kind]: str(days) for kind, days in ONLY_EVENTS.items()}
    platform = stack.enter_context(start_platform(Folder(home / "platform")))
    ours = stack.enter_context(systems.ours(Folder(home / "ours", clean_environment() | settings), platform))
    redis = stack.enter_context(Redis.from_url(ours.redis_url or ""))
    found: dict[bool, list[Outcome]] = {False: [], True: []}
    first = 1_000_000_000
    for number in range(rounds + 1):
        for is_swept in (False, True):
            _allow_sweep(redis, is_allowed=is_swept)
            before = _count(database)
            outcome = send_hooks(ours, per_second, seconds if number else 10, CONNECTIONS, first)
            first += 10_000_000
            if not number:  # the first round fills the caches
                continue
            found[is_swept].append(outcome)
            print(
                f"{'with' if is_swept else 'without'} the sweep: p50 {outcome.wait(0.5):.1f} ms, p99 "
                f"{outcome.wait(0.99):.1f} ms, slowest {outcome.wait(1.0):.0f} ms, {outcome.failures} failures, "
                f"{max(0, before - _count(database))} old events deleted, load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    p99 = {swept: statistics.median(one.wait(0.99) for one in outcomes) for swept, outcomes in found.items()}
    print(f"p99: {p99[False]:.1f} ms without, {p99[True]:.1f} ms with: {p99[True] / p99[False]:.2f} times", flush=True)


def _allow_sweep(redis: Redis, *, is_allowed: bool) -> None:
    """Take the sweep's lease away from it, or leave it to the workers."""
    redis.delete(redis_keys.RETENTION_LEASE)
    if not is_allowed:
        redis.set(redis_keys.RETENTION_LEASE, "the bench", ex=3_600)
        time.sleep(retention.MAX_KIND_S)  # a sweep that had begun


def _count(database: Path) -> int:
    """The old events that are left."""
    with closing(sqlite3.connect(database, timeout=60)) as db:
        old = now_us() - AGE_US // 2
        query = "SELECT count(*) FROM events WHERE id <= (SELECT max(id) FROM events WHERE recorded_at < ?)"
        return int(db.execute(query, (old,)).fetchone()[0])


if __name__ == "__main__":
    main()
