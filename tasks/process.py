"""What one worker process holds open: settings, the database engine and Redis. Made on first use, after the fork."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Engine

from pipeline.ledger.engine import make_engine
from pipeline.ledger.revocations import Revocations
from pipeline.settings import Settings, process_environment

CONNECTIONS = 4  # to the database: one task, and what goes on beside it, whose transactions are short


@dataclass(frozen=True, slots=True)
class Process:
    """The outside world of one process, handed to the pipeline."""

    settings: Settings
    engine: Engine
    redis: Redis
    now: Callable[[], int]  # µs
    revocations: Revocations


_made: dict[int, Process] = {}


def this_process() -> Process:
    """This process's Process. A child never uses its parent's connections."""
    pid = os.getpid()
    if pid not in _made:
        _made.clear()
        _made[pid] = make_process(Settings.from_environment(process_environment()))
    return _made[pid]


def make_process(settings: Settings) -> Process:
    """Open everything for these settings. Connections are made when first needed."""
    redis = Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=3, health_check_interval=10)
    engine = make_engine(settings.database_url, CONNECTIONS)
    return Process(settings, engine, redis, now, Revocations(engine, time.monotonic))


def now() -> int:
    """µs since the epoch."""
    return time.time_ns() // 1000
