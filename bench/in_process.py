"""The pipeline without its processes: the same functions the tasks call, one after another, over a ledger on disk.

For what would drown in the noise of a whole stack: where the time goes, and how the cost grows with the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import ClassVar, TypeVar

from redis import Redis
from sqlalchemy import Engine

from bench.hooks import Hook
from pipeline.context import Context, now_us
from pipeline.delivery.lane import run_lanes
from pipeline.delivery.open_connection import LaneDeps, OpenConnection
from pipeline.destinations.customerio import CustomerIO
from pipeline.inbox.entry import InboxEntry
from pipeline.infra import redis_keys
from pipeline.infra.http.client import HTTPClient, HTTPResponse, Method
from pipeline.infra.rate_limit.budget import Budget
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.deliveries import LaneId, list_due_lanes
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import save_store
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch
from pipeline.settings import Settings
from tasks.deliveries import MAX_LANES_PER_MESSAGE

STORE = "bench"
_UNLIMITED_PER_S = 1_000_000.0  # calls per second
_SETTINGS = Settings.from_environment(
    {
        "CRATEWIRE_SECRET_KEY": "only-for-measurements",
        "CRATEWIRE_METRICS_TOKEN": "only-for-measurements",
        "CRATEWIRE_FLOWER_PASSWORD": "only-for-measurements",
        "REDIS_URL": "redis://127.0.0.1:1",
    },
    data_dir=Path("/nonexistent"),
)  # a lane reads none of them


T = TypeVar("T")


@dataclass
class CpuTimes:
    """CPU seconds of this process by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    def measured(self, stage: str, work: Callable[[], T]) -> T:
        """Do the work and add what it took."""
        before = time.process_time()
        done = work()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - before
        return done

    @property
    def total(self) -> float:
        """All stages."""
        return sum(self.seconds.values())


class AcceptAllHTTP(HTTPClient):
    """A platform that accepts everything immediately."""

    answer: ClassVar[HTTPResponse] = HTTPResponse(200, body="{}")

    def call(self, method: Method, url: str, **_: object) -> HTTPResponse:  # noqa: ARG002
        return self.answer


StoreHooks = Sequence[tuple[str, Hook]]  # store name and hook


def create_connected_store(engine: Engine) -> None:
    """A store with a single connection in an empty ledger."""
    now = now_us()
    with writing(engine) as db:
        store = save_store(db, STORE, now)
        save_connection(db, NewConnection(store.id, "customerio", "1", b""), now)


def push(engine: Engine, redis: Redis, hooks: StoreHooks, batch: int, spent: CpuTimes) -> None:
    """Process the hooks from the inbox to the platform, in batches."""
    for start in range(0, len(hooks), batch):
        entries = [build_entry(start + place, *one) for place, one in enumerate(hooks[start : start + batch])]
        decoded = spent.measured("decode", partial(decode_batch, entries, now_us(), now_us))
        valid = spent.measured("validate", partial(validate_batch, decoded, now_us))
        raws = {entry.entry_id: (entry.raw, None) for entry in entries}
        recorded = spent.measured("record", partial(record, engine, valid, raws, now_us))
        concerned = {connection for hook in recorded for connection in hook.connections}
        due = spent.measured("wake", partial(_find_due_lanes, engine, concerned))
        for first in range(0, len(due), MAX_LANES_PER_MESSAGE):
            spent.measured("deliver", partial(_run_lanes, engine, redis, due[first : first + MAX_LANES_PER_MESSAGE]))


def _find_due_lanes(engine: Engine, connections: set[int]) -> list[LaneId]:
    with reading(engine) as db:
        return list_due_lanes(db, now_us(), connections)


def _run_lanes(engine: Engine, redis: Redis, lanes: Sequence[LaneId]) -> None:
    run_lanes(_build_deps(engine, redis), lanes, until=now_us() + 10**9)


def _build_deps(engine: Engine, redis: Redis) -> LaneDeps:
    config = {"site_id": "s", "api_key": "k", "base_url": "http://127.0.0.1:1"}
    budget = Budget(redis, redis_keys.budget("customerio", "1"), _UNLIMITED_PER_S)
    http = AcceptAllHTTP()
    context = Context(_SETTINGS, engine, redis, now_us, http, http, SystemRandom())
    return LaneDeps(context, lambda _: OpenConnection(CustomerIO(config, http), budget, budget))


def build_entry(number: int, store: str, hook: Hook) -> InboxEntry:
    """The hook as an entry of the inbox, received now; `number`: its place among those of the same moment."""
    now = now_us()
    return InboxEntry(f"{now:x}{number:06}", store, 1, hook.event, now, hook.body, entry_id=f"{now}-{number}")
