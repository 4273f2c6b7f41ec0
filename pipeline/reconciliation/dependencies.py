"""What reconciling needs from outside, and how patient it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Engine

from pipeline.context import Context
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.factory import open_store_client
from pipeline.infra.http.client import get_merchant_http
from pipeline.settings import Settings

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class ReconciliationTiming:
    """All in µs. `every`: 0 for never by itself. `grace`: how long a hook may take before it counts as missed."""

    every: int
    overlap: int
    grace: int

    @property
    def back(self) -> int:
        """How far behind its mark a pass begins: whatever was in its grace then must be seen again."""
        return max(self.overlap, self.grace)


@dataclass(frozen=True, slots=True)
class ReconciliationContext:
    """From outside. `open_api`: the client of a store by its id."""

    engine: Engine
    redis: Redis
    open_api: Callable[[int], CratejoyClient]
    now: Callable[[], int]  # µs
    times: ReconciliationTiming


def build_reconciliation_context(here: Context) -> ReconciliationContext:
    """What reconciling needs of it."""
    settings = here.settings

    def open_api(store_id: int) -> CratejoyClient:
        keys, http = settings.secret_keys, get_merchant_http(anywhere=settings.connect_anywhere)
        return open_store_client(here.engine, here.redis, keys, store_id, http=http, per_second=settings.cratejoy_rate)

    return ReconciliationContext(here.engine, here.redis, open_api, here.now, build_timing(settings))


def build_timing(settings: Settings) -> ReconciliationTiming:
    """As set."""
    spans = (settings.reconcile_seconds, settings.reconcile_overlap_seconds, settings.reconcile_grace_seconds)
    every, overlap, grace = (round(span * SECOND_US) for span in spans)
    return ReconciliationTiming(every, overlap, grace)
