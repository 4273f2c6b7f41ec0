"""The pipeline without its processes: the same functions the tasks call, one after another, over a ledger on disk.

For what would drown in the noise of a whole stack: where the time goes, and how the cost grows with the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import ClassVar, TypeVar

from redis import Redis
from sqlalchemy import Engine

from bench.hooks import Hook
from pipeline import keys
from pipeline.chain.decoding import decode_batch
from pipeline.chain.recording import record
from pipeline.chain.validating import validate_batch
from pipeline.destinations.customerio import CustomerIO
from pipeline.http import HTTP, Answer, Method
from pipeline.inbox.raw_hook import InboxEntry
from pipeline.lanes.budget import Budget
from pipeline.lanes.lane import run_lane
from pipeline.lanes.line import LaneDeps, Line
from pipeline.lanes.trust import LaneId
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.deliveries import due_lanes
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import save_store

STORE = "bench"
_ROOMY = 1_000_000.0  # calls per second


T = TypeVar("T")


@dataclass
class Spent:
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


class Everything(HTTP):
    """A platform that takes everything at once."""

    answer: ClassVar[Answer] = Answer(200, body="{}")

    def call(self, method: Method, url: str, **_: object) -> Answer:  # noqa: ARG002
        return self.answer


Told = Sequence[tuple[str, Hook]]  # the store's name, and what it tells


def connected(engine: Engine) -> None:
    """A store with one connection in an empty ledger."""
    now = now_us()
    with writing(engine) as db:
        store = save_store(db, STORE, now)
        save_connection(db, NewConnection(store.id, "customerio", "1", b""), now)


def push(engine: Engine, redis: Redis, told: Told, batch: int, spent: Spent) -> None:
    """Bring the hooks all the way, in batches."""
    for start in range(0, len(told), batch):
        entries = [_entry(start + place, *one) for place, one in enumerate(told[start : start + batch])]
        decoded = spent.measured("decode", partial(decode_batch, entries, now_us(), now_us))
        valid = spent.measured("validate", partial(validate_batch, decoded, now_us))
        raws = {entry.entry_id: (entry.raw, None) for entry in entries}
        recorded = spent.measured("record", partial(record, engine, valid, raws, now_us))
        concerned = {connection for one in recorded for connection in one.connections}
        for lane_id in spent.measured("wake", partial(_due, engine, concerned)):
            spent.measured("deliver", partial(_run, engine, redis, lane_id))


def now_us() -> int:
    """The clock, in µs."""
    return time.time_ns() // 1_000


def _due(engine: Engine, connections: set[int]) -> list[LaneId]:
    with reading(engine) as db:
        return due_lanes(db, now_us(), connections)


def _run(engine: Engine, redis: Redis, lane_id: LaneId) -> None:
    run_lane(_deps(engine, redis), *lane_id, until=now_us() + 10**9)


def _deps(engine: Engine, redis: Redis) -> LaneDeps:
    config = {"site_id": "s", "api_key": "k", "base_url": "http://127.0.0.1:1"}
    budget = Budget(redis, keys.budget("customerio", "1"), _ROOMY)
    return LaneDeps(engine, redis, lambda _: Line(CustomerIO(config, Everything()), budget, budget), now_us, Random())


def _entry(number: int, store: str, hook: Hook) -> InboxEntry:
    now = now_us()
    return InboxEntry(f"{now:x}{number:06}", store, 1, hook.event, now, hook.body, entry_id=f"{now}-{number}")
