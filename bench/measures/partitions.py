"""The rate at which hooks are recorded on PostgreSQL by the chains of several partitions, each in a process of its own.

The inbox is filled beforehand, and nothing is delivered: what is measured is reading, validating and recording.
"""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.synchronize import Barrier
from pathlib import Path

import structlog
from redis import Redis

from bench.chaos.databases import running_postgres
from bench.hooks import make_hooks
from bench.processes import Folder, wait_until
from pipeline.context import now_us
from pipeline.inbox import stream
from pipeline.inbox.chain_lease import take_chain_lease
from pipeline.inbox.entry import RawHook
from pipeline.infra.embedded_valkey import build_command, is_up, load_embedded_valkey
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.migrations import migrate
from pipeline.ledger.revocations import RevocationCache
from pipeline.ledger.stores import save_store
from pipeline.processing.chain_run import ChainDeps, ChainRun
from pipeline.settings import Settings
from tasks.process import open_process_context

STORES = 40
_HOOKS_IN_A_WRITE = 200
_SPAWN = multiprocessing.get_context("spawn")  # a process has no connection of another


def measure(rounds: int, hooks: int, partitions: Sequence[int] = (1, 2)) -> dict[str, list[float]]:
    """Number of partitions -> hooks recorded a second, in each round. They alternate, for the sake of other load."""
    rates: dict[str, list[float]] = {str(number): [] for number in partitions}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cratewire-bench-")))
        (home / "postgres").mkdir()
        url, _ = stack.enter_context(running_postgres(home / "postgres", syncs=True))
        migrate(url)
        _create_stores(url)
        valkey = load_embedded_valkey(home)
        server = stack.enter_context(Folder(home).running("valkey", build_command(valkey)))
        wait_until("Valkey", lambda: is_up(valkey), *server)
        settings = {"CRATEWIRE_DATA_DIR": str(home), "DATABASE_URL": url, "REDIS_URL": valkey.url}
        redis = stack.enter_context(Redis.from_url(valkey.url))
        first = 0
        for _ in range(rounds):
            for number in partitions:
                redis.flushall()
                _fill(redis, hooks, first, number)
                first += hooks + 1_000
                rates[str(number)].append(hooks / _drain(settings, number))
                if stream.depth(redis):
                    raise RuntimeError("hooks are left in the inbox")
    return rates


def _create_stores(url: str) -> None:
    engine, now = make_engine(url), now_us()
    with writing(engine) as conn:
        for number in range(STORES):
            store = save_store(conn, f"store-{number}", now)
            save_connection(conn, NewConnection(store.id, "customerio", str(number), b""), now)
    engine.dispose()


def _fill(redis: Redis, count: int, first: int, partitions: int) -> None:
    now = now_us()
    hooks = [
        RawHook(f"{now:014x}{number:018x}", f"store-{number % STORES}", 1, hook.event, now + number, hook.body)
        for number, hook in enumerate(make_hooks(count, first=first))
    ]
    for start in range(0, count, _HOOKS_IN_A_WRITE):
        stream.add_all(redis, hooks[start : start + _HOOKS_IN_A_WRITE], partitions)


def _drain(settings: dict[str, str], partitions: int) -> float:
    """How many seconds the chains take, from when all processes are ready."""
    ready = _SPAWN.Barrier(partitions + 1)
    processes = [_SPAWN.Process(target=_record, args=(settings, number, ready)) for number in range(partitions)]
    for process in processes:
        process.start()
    ready.wait()
    started = time.perf_counter()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError("a chain failed")
    return time.perf_counter() - started


def _record(settings: dict[str, str], partition: int, ready: Barrier) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    context = open_process_context(Settings.from_environment(settings))
    deps = ChainDeps(context, RevocationCache(context.engine, time.monotonic))
    stream.get_depths(context.redis)
    with context.engine.connect():
        pass
    ready.wait()
    while not stream.is_empty(context.redis, partition):
        with take_chain_lease(context.redis, lambda action: action(), partition) as lease:
            if lease is not None:
                for _ in ChainRun(deps, lease).run():
                    pass
