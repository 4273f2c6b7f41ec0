"""A lane with its ledger, Redis, clock and destination, all controlled by the test."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any

import fakeredis
from redis import Redis
from sqlalchemy import Engine, select

from pipeline.delivery.lane import run_lane
from pipeline.delivery.open_connection import LaneDeps, LaneReport, OpenConnection
from pipeline.delivery.slow_lanes import acquire_any
from pipeline.infra import redis_keys
from pipeline.ledger.connections import ConnectionRow
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from tests.contexts import make_context
from tests.pipeline.delivery.fake_destination import ScriptedBudget, ScriptedDestination
from tests.pipeline.ledger.rows import NOW, add_deliveries

SECOND = 1_000_000
LANE = 0


@dataclass
class LaneSetup:
    engine: Engine
    redis: Redis
    connection: ConnectionRow
    people: list[int]
    destination: ScriptedDestination = field(default_factory=ScriptedDestination)
    budget: ScriptedBudget = field(default_factory=ScriptedBudget)
    backfill_budget: ScriptedBudget = field(default_factory=ScriptedBudget)
    now: int = NOW
    opened: int = 0
    slots: tuple[str, ...] = ()  # of the account's sends in progress; none: there is no limit

    @property
    def deps(self) -> LaneDeps:
        return LaneDeps(make_context(self.engine, self.redis, lambda: self.now), self._open)

    def _open(self, _connection_id: int) -> OpenConnection:
        self.opened += 1
        opened = OpenConnection(self.destination, self.budget, self.backfill_budget)
        if not self.slots:
            return opened
        return replace(opened, take_slot=partial(acquire_any, self.redis, self.slots, Random(7)))

    def run(self, *, seconds: int = 60) -> LaneReport:
        return run_lane(self.deps, self.connection.id, LANE, until=self.now + seconds * SECOND)

    def add(self, count: int = 1, person: int = 0, **more: Any) -> list[int]:
        with writing(self.engine) as conn:
            return add_deliveries(conn, self.connection, self.people[person], count, **more)

    @property
    def lease_key(self) -> str:
        return redis_keys.lane_lease(self.connection.id, LANE)

    def statuses(self) -> list[str]:
        mine = core.Delivery.connection_id == self.connection.id
        with reading(self.engine) as conn:
            return list(conn.execute(select(core.Delivery.status).where(mine).order_by(core.Delivery.id)).scalars())

    def lane_row(self) -> Any:
        mine = core.Lane.connection_id == self.connection.id
        with reading(self.engine) as conn:
            return conn.execute(
                select(core.Lane.attempts, core.Lane.next_attempt_at, core.Lane.reason).where(mine)
            ).one()

    def connection_row(self) -> Any:
        mine = core.StoreConnection.id == self.connection.id
        with reading(self.engine) as conn:
            return conn.execute(
                select(core.StoreConnection.status, core.StoreConnection.status_reason).where(mine)
            ).one()


def unreachable_redis() -> Redis:
    """A Redis that is unavailable."""
    server = fakeredis.FakeServer()
    server.connected = False
    return fakeredis.FakeRedis(server=server)
