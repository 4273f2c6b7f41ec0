"""Contexts for tests: settings that no environment had a part in, a seed, and a clock that the test holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import fakeredis
from redis import Redis
from sqlalchemy import Engine

from pipeline.context import Context
from pipeline.infra.http.client import HTTPClient
from pipeline.settings import Settings
from tests.builders import NOW

SETTINGS = Settings.from_environment(
    {
        "CRATEWIRE_SECRET_KEY": "a-key-that-only-tests-know",
        "CRATEWIRE_METRICS_TOKEN": "a-token-that-only-tests-know",
        "CRATEWIRE_FLOWER_PASSWORD": "a-password-that-only-tests-know",
        "CRATEWIRE_CONNECT_ANYWHERE": "true",  # the stores and platforms of tests are on loopback
        "REDIS_URL": "redis://127.0.0.1:1",
    },
    data_dir=Path("/nonexistent"),
)


def make_context(
    engine: Engine,
    redis: Redis | None = None,
    now: Callable[[], int] = lambda: NOW,
    http: HTTPClient | None = None,
    **settings: Any,
) -> Context:
    """A context with these servers, and these settings instead of the usual ones."""
    client = http or HTTPClient()
    server = fakeredis.FakeRedis() if redis is None else redis
    return Context(replace(SETTINGS, **settings), engine, server, now, client, client, Random(7))
