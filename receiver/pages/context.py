"""What the pages are built from: the outside world as their views may use it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Engine

from pipeline.infra.http.client import HTTPClient, get_merchant_http
from pipeline.ledger.engine import make_engine
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class PagesContext:
    """One installation, seen by the web process. Nothing is opened before it is first used."""

    settings: Settings
    engine: Engine
    redis: Redis
    now: Callable[[], int]  # µs

    @property
    def outside(self) -> HTTPClient:
        """What calls the addresses that merchants may name."""
        return get_merchant_http(anywhere=self.settings.connect_anywhere)


def open_pages_context(settings: Settings) -> PagesContext:
    """For these settings; make it in the process that serves."""
    redis = Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=2)
    return PagesContext(settings, make_engine(settings.database_url), redis, lambda: time.time_ns() // 1000)
