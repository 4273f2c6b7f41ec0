"""The dependencies that the pipeline is handed: settings, database, Redis, HTTP, the clock and randomness."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random, SystemRandom

from redis import Redis
from sqlalchemy import Engine

from pipeline.infra.http import client
from pipeline.infra.http.client import HTTPClient
from pipeline.settings import Settings

_NONCE_BITS = 128


@dataclass(frozen=True, slots=True)
class Context:
    """What one process, or one command, has open. Tests hand in a clock, a seed and an HTTP client of their own.

    `http` calls addresses that merchants may have named, `operator_http` those that the operator has set.
    """

    settings: Settings
    engine: Engine
    redis: Redis
    now: Callable[[], int]  # µs since the epoch
    http: HTTPClient
    operator_http: HTTPClient
    rng: Random = field(repr=False)

    def make_nonce(self) -> str:
        """32 hexadecimal digits that occur once: the holder of a lease, a canary, a notice."""
        return f"{self.rng.getrandbits(_NONCE_BITS):032x}"


def build_context(settings: Settings, engine: Engine, redis: Redis) -> Context:
    """The context of a real process: the machine's clock, and randomness that no other process shares."""
    http = client.get_merchant_http(anywhere=settings.connect_anywhere)
    return Context(settings, engine, redis, now_us, http, client.operator_http, SystemRandom())


def now_us() -> int:
    """The machine's clock, in µs since the epoch."""
    return time.time_ns() // 1_000
