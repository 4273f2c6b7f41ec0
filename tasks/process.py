"""What one worker process holds open: settings, the database engine and Redis. Made on first use, after the fork."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Engine

from pipeline.ledger.engine import make_engine
from pipeline.ledger.revocations import RevocationCache
from pipeline.settings import Settings, read_environment

DB_POOL_SIZE = 4  # to the database: one task, and what goes on beside it, whose transactions are short


@dataclass(frozen=True, slots=True)
class ProcessContext:
    """The outside world of one process, handed to the pipeline."""

    settings: Settings
    engine: Engine
    redis: Redis
    now: Callable[[], int]  # µs
    revocations: RevocationCache


_contexts: dict[int, ProcessContext] = {}


def get_process_context() -> ProcessContext:
    """This process's Process. A child never uses its parent's connections."""
    pid = os.getpid()
    if pid not in _contexts:
        _contexts.clear()
        _contexts[pid] = open_process_context(Settings.from_environment(read_environment()))
    return _contexts[pid]


def open_process_context(settings: Settings) -> ProcessContext:
    """Open everything for these settings. Connections are made when first needed."""
    redis = Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=3, health_check_interval=10)
    engine = make_engine(settings.database_url, DB_POOL_SIZE)
    return ProcessContext(settings, engine, redis, now_us, RevocationCache(engine, time.monotonic))


def now_us() -> int:
    """µs since the epoch."""
    return time.time_ns() // 1000
