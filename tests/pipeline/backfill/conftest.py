"""A store in the ledger whose Merchant API is the sandbox's, and its backfill, step by step on a clock of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

import fakeredis
import pytest
from sqlalchemy import Engine, select

from pipeline.backfill.means import Means
from pipeline.backfill.starting import start_backfill
from pipeline.backfill.stepping import Stepped, take_steps
from pipeline.cratejoy.opening import open_with
from pipeline.http import HTTP
from pipeline.ledger import tables
from pipeline.ledger.backfills import BackfillRow, last_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import note_audit, save_api, set_registers
from tests.pipeline.ledger.rows import NOW, add_connection, add_store
from tests.pipeline.shop import AMPLE, Clock, Shop

SECOND = 1_000_000


@dataclass
class Reading:
    """A backfill and what it needs. Every request goes to the sandbox."""

    engine: Engine
    shop: Shop
    store_id: int
    clock: Clock = field(default_factory=Clock)
    redis: Any = field(default_factory=fakeredis.FakeRedis)
    per_second: float = AMPLE

    @property
    def means(self) -> Means:
        open_api = partial(open_with, self.shop.credentials(), self.redis, http=HTTP(), per_second=self.per_second)
        return Means(self.engine, self.redis, lambda _: open_api(), self.clock, Random(7))

    def start(self, kind: str = "all") -> int:
        return start_backfill(self.engine, self.store_id, kind, self.clock.now)

    def row(self) -> BackfillRow:
        with reading(self.engine) as db:
            row = last_backfill(db, self.store_id)
        assert row is not None
        return row

    def step(self, means: Means | None = None) -> Stepped:
        """One task's worth, at the time it is due."""
        row = self.row()
        self.clock.now = max(self.clock.now, row.next_step_at)
        return take_steps(means or self.means, row.id, row.next_step_at)

    def run(self, most: int = 200) -> BackfillRow:
        """Until it ends."""
        for _ in range(most):
            if not self.row().is_open:
                return self.row()
            self.step()
        raise AssertionError(f"still {self.row()}")

    def deliveries(self) -> list[Any]:
        with reading(self.engine) as db:
            return list(db.execute(select(tables.Delivery.__table__).order_by(tables.Delivery.id)))

    def told(self) -> list[int | None]:
        """Whose profiles leave, by customer id."""
        return sorted(row.message["customer_id"] or 0 for row in self.deliveries())

    def pages(self, resource: str = "") -> list[str]:
        """The addresses of the pages asked for so far."""
        asked = [f"{path}?{query}" for method, path, query in self.shop.asked() if method == "GET"]
        return [one for one in asked if one.startswith(f"/v1/{resource}")]


@pytest.fixture
def book(engine: Engine, shop: Shop) -> Reading:
    """A store whose hooks are as they should be."""
    with writing(engine) as db:
        store_id = add_store(db).id
        add_connection(db, store_id)
        save_api(db, store_id, b"sealed", NOW)
        set_registers(db, store_id, NOW, registers=False)
        note_audit(db, store_id, NOW, NOW)
    return Reading(engine, shop, store_id)
