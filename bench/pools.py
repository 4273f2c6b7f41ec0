"""Compares Celery's pools for deliveries: today's processes with background calls, and `-P threads`.

Connections to one sandbox platform get a message each at the same time, again and again, as after a batch of hooks.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import Popen

import click
from celery import Celery
from redis import Redis
from sqlalchemy import Engine, func, insert, select

from bench.machine import cpu_seconds, descendants, describe_machine, get_private_bytes
from bench.platform import Platform, start_platform
from bench.processes import Folder, request_json, wait_until
from pipeline.infra.crypto.encryption import encrypt
from pipeline.infra.embedded_valkey import EmbeddedValkey, build_command, find_free_port, is_up
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.migrations import migrate
from pipeline.ledger.schema import core
from pipeline.ledger.stores import save_store
from pipeline.settings import Settings
from tasks.config import DELIVERIES, celery_config

PROCESSES, THREADS = 4, 32
POOLS = {
    "prefork": (["-A", "tasks.app", "worker", "-P", "prefork", "--concurrency", str(PROCESSES)], PROCESSES),
    "threads": (["-A", "bench.threads_worker", "worker", "-P", "threads", "--concurrency", str(THREADS)], THREADS),
}
WARM_UP_WAVES = 2  # after the first each lane is known to be fast
_POLL_INTERVAL_S = 0.02
_SECRET = "a key for benchmarks only"  # noqa: S105 it guards nothing
_US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class PoolResult:
    """The figures of one pool at one latency."""

    pool: str
    latency_ms: int
    deliveries_per_second: float
    wave_seconds: float  # median, from the wake-up to the last delivery
    cpu_ms: float  # per delivery, of the worker with all its processes
    private_mib: float  # of all processes of the worker, at the end
    stop_seconds: float  # from SIGTERM to the exit, with a call of ten seconds under way on each connection


@dataclass(frozen=True, slots=True)
class Ledger:
    """The database of one run, with a person per connection."""

    engine: Engine
    targets: Sequence[tuple[int, int, int]]  # store, connection, person

    def add_wave(self) -> list[int]:
        """Add a message to each connection and return the ids of the connections."""
        message = {"customer_id": 7001, "email": "bea@example.com", "at": 1_772_470_000, "data": {"orders": 1}}
        rows = [
            {"store_id": store, "connection_id": connection, "person_id": person, "lane": 0, "kind": "profile"}
            | {"message": message, "created_at": time.time_ns() // 1000}
            for store, connection, person in self.targets
        ]
        with writing(self.engine) as conn:
            conn.execute(insert(core.Delivery), rows)
        return [connection for _, connection, _ in self.targets]

    def count_open(self) -> int:
        """Return how many messages wait or are being sent."""
        with reading(self.engine) as conn:
            return conn.execute(select(func.count()).where(core.Delivery.done_at.is_(None))).scalar_one()


@click.command()
@click.option("--connections", default=120, show_default=True)
@click.option("--waves", default=10, show_default=True)
@click.option("--latency-ms", "latencies", type=int, multiple=True, default=[0, 200], show_default=True)
@click.option("--pool", "pools", type=click.Choice([*POOLS]), multiple=True, default=[*POOLS])
@click.option("--database-url", help="An empty PostgreSQL database, for one pool and one latency; else a new SQLite.")
def main(
    connections: int, waves: int, latencies: Sequence[int], pools: Sequence[str], database_url: str | None
) -> None:
    """Print a line of figures for each pool and each latency of the platform."""
    print(describe_machine())
    for latency_ms in latencies:
        for pool in pools:
            print(json.dumps(asdict(measure(pool, connections, waves, latency_ms, database_url))), flush=True)


def measure(pool: str, connections: int, waves: int, latency_ms: int, database_url: str | None = None) -> PoolResult:
    """Return the figures of one pool."""
    with tempfile.TemporaryDirectory(prefix="cratewire-pools-") as home, ExitStack() as stack:
        folder = Folder(Path(home))
        platform = stack.enter_context(start_platform(folder))
        environment = _build_environment(folder, stack.enter_context(_valkey(folder)), POOLS[pool][1], database_url)
        settings = Settings.from_environment(environment)
        ledger = _create_ledger(settings, platform, connections)
        app = Celery("bench")
        app.conf.update(celery_config(settings))
        worker = stack.enter_context(_worker(folder, pool, environment))
        for _ in range(WARM_UP_WAVES):
            _run_wave(app, ledger)
        request_json(f"{platform.url}/_sandbox/switches", {"latency_ms": latency_ms})
        before = cpu_seconds([worker.pid])
        seconds = sorted(_run_wave(app, ledger) for _ in range(waves))
        cpu, count = cpu_seconds([worker.pid]) - before, waves * connections
        memory = sum(map(get_private_bytes, descendants([worker.pid])))
        stop = _measure_stop(app, ledger, platform, worker)
        rate, median = count / sum(seconds), seconds[len(seconds) // 2]
        figures = (rate, median, cpu * 1000 / count, memory / 2**20, stop)
        return PoolResult(pool, latency_ms, *(round(figure, 2) for figure in figures))


def _run_wave(app: Celery, ledger: Ledger) -> float:
    ids = ledger.add_wave()
    began = time.monotonic()
    while ledger.count_open():  # asked for again as the sweep does, for lanes that were put off
        app.send_task("deliveries.forward", (ids,), queue=DELIVERIES)
        asked = time.monotonic()
        while ledger.count_open() and time.monotonic() - asked < 1.0:
            time.sleep(_POLL_INTERVAL_S)
    return time.monotonic() - began


def _measure_stop(app: Celery, ledger: Ledger, platform: Platform, worker: Popen[bytes]) -> float:
    request_json(f"{platform.url}/_sandbox/switches", {"latency_ms": 10_000})
    app.send_task("deliveries.forward", (ledger.add_wave(),), queue=DELIVERIES)
    time.sleep(3.0)
    began = time.monotonic()
    worker.terminate()
    worker.wait(120)
    return time.monotonic() - began


@contextmanager
def _worker(folder: Folder, pool: str, environment: dict[str, str]) -> Iterator[Popen[bytes]]:
    command = [sys.executable, "-m", "celery", "-q", *POOLS[pool][0], "-E", "--without-gossip", "--without-mingle"]
    command += ["-l", "WARNING", "-Q", DELIVERIES]
    with folder.running("worker", command, **environment) as (process, _):
        yield process


@contextmanager
def _valkey(folder: Folder) -> Iterator[str]:
    server = EmbeddedValkey(folder.path, find_free_port(), "bench")
    with folder.running("valkey", build_command(server)) as (process, said):
        wait_until("Valkey", lambda: is_up(server), process, said)
        with Redis.from_url(server.url) as redis:
            redis.config_set("appendfsync", "everysec")
        yield server.url


def _build_environment(folder: Folder, redis_url: str, workers: int, database_url: str | None) -> dict[str, str]:
    environment = {
        "REDIS_URL": redis_url,
        "CRATEWIRE_BROKER_URL": redis_url,
        "CRATEWIRE_DATA_DIR": str(folder.path),
        "CRATEWIRE_SECRET_KEY": _SECRET,
        "CRATEWIRE_WORKERS": str(workers),
        "CRATEWIRE_CONNECT_ANYWHERE": "true",
        "CRATEWIRE_LOG_LEVEL": "WARNING",
    }
    return environment if database_url is None else environment | {"DATABASE_URL": database_url}


def _create_ledger(settings: Settings, platform: Platform, connections: int) -> Ledger:
    migrate(settings.database_url)
    engine, now = make_engine(settings.database_url), time.time_ns() // 1000
    keys = {"site_id": platform.site_id, "api_key": platform.api_key, "region": "us", "base_url": platform.url}
    sealed, targets = encrypt(settings.secret_keys, keys), []
    with writing(engine) as conn:
        for number in range(connections):
            store = save_store(conn, f"store-{number}", now)
            connection = save_connection(conn, NewConnection(store.id, "customerio", f"account-{number}", sealed), now)
            person = {"store_id": store.id, "email": "bea@example.com", "attributes": {}, "known_at": now}
            made = insert(core.Person).values(person | {"created_at": now}).returning(core.Person.id)
            targets.append((store.id, connection.id, conn.execute(made).scalar_one()))
    return Ledger(engine, targets)


if __name__ == "__main__":
    main()
