"""The context of one worker process: settings, database engine and Redis, opened on first use, after the fork."""

from __future__ import annotations

import os
import time

from pipeline.context import Context, build_context
from pipeline.infra.redis_client import open_redis
from pipeline.ledger.engine import make_engine
from pipeline.ledger.revocations import RevocationCache
from pipeline.settings import Settings, read_environment

DB_POOL_SIZE = 4  # connections: one task and its background calls, whose transactions are short

_contexts: dict[int, Context] = {}  # by process id
_revocations: dict[int, RevocationCache] = {}


def get_process_context() -> Context:
    """Return the context of this process, opened on first use. A child never uses its parent's connections."""
    pid = os.getpid()
    if pid not in _contexts:
        _contexts.clear()
        _contexts[pid] = open_process_context(Settings.from_environment(read_environment()))
    return _contexts[pid]


def get_revocations() -> RevocationCache:
    """Return this process's cache of revoked tokens."""
    pid = os.getpid()
    if pid not in _revocations:
        _revocations.clear()
        _revocations[pid] = RevocationCache(get_process_context().engine, time.monotonic)
    return _revocations[pid]


def open_process_context(settings: Settings) -> Context:
    """Build a context for these settings. Connections are made on first use."""
    redis = open_redis(settings.redis_url, socket_timeout=5, socket_connect_timeout=3, health_check_interval=10)
    return build_context(settings, make_engine(settings.database_url, DB_POOL_SIZE), redis)
