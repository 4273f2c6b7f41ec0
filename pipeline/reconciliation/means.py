"""What reconciling needs from outside, and how patient it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Engine

from pipeline.cratejoy.client import Cratejoy
from pipeline.cratejoy.here import Here
from pipeline.cratejoy.opening import open_store
from pipeline.http import outside
from pipeline.settings import Settings

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Times:
    """All in µs. `every`: 0 for never by itself. `grace`: how long a hook may take before it counts as missed."""

    every: int
    overlap: int
    grace: int

    @property
    def back(self) -> int:
        """How far behind its mark a pass begins: whatever was in its grace then must be seen again."""
        return max(self.overlap, self.grace)


@dataclass(frozen=True, slots=True)
class Means:
    """From outside. `open_api`: the client of a store by its id."""

    engine: Engine
    redis: Redis
    open_api: Callable[[int], Cratejoy]
    now: Callable[[], int]  # µs
    times: Times


def means_of(here: Here) -> Means:
    """What reconciling needs of it."""
    settings = here.settings

    def open_api(store_id: int) -> Cratejoy:
        keys, http = settings.secret_keys, outside(anywhere=settings.connect_anywhere)
        return open_store(here.engine, here.redis, keys, store_id, http=http, per_second=settings.cratejoy_rate)

    return Means(here.engine, here.redis, open_api, here.now, times_of(settings))


def times_of(settings: Settings) -> Times:
    """As set."""
    spans = (settings.reconcile_seconds, settings.reconcile_overlap_seconds, settings.reconcile_grace_seconds)
    every, overlap, grace = (round(span * SECOND) for span in spans)
    return Times(every, overlap, grace)
