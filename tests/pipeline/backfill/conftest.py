"""A store in the ledger whose Merchant API is the sandbox's, and its backfill, step by step on a clock of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import fakeredis
import pytest
from sqlalchemy import Engine, select

from pipeline.backfill.run import OpenAPI, StepResult, run_steps
from pipeline.backfill.schedule import start_backfill
from pipeline.context import Context
from pipeline.core.consent import COMMAND_LINE
from pipeline.cratejoy.factory import open_store_client
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.backfills import BackfillRow, find_last_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.store_apis import record_audit, save_store_api, set_hook_registration
from pipeline.operations.consent import set_marketplace_policy
from tests.contexts import SETTINGS, make_context
from tests.pipeline.ledger.rows import NOW, add_connection, add_store
from tests.pipeline.sandbox_store import AMPLE_PER_S, Clock, StoreControl

SECOND = 1_000_000


@dataclass
class BackfillSetup:
    """A backfill and what it needs. Every request goes to the sandbox."""

    engine: Engine
    shop: StoreControl
    store_id: int
    clock: Clock = field(default_factory=Clock)
    redis: Any = field(default_factory=fakeredis.FakeRedis)
    per_second: float = AMPLE_PER_S

    @property
    def context(self) -> Context:
        return make_context(self.engine, self.redis, self.clock, cratejoy_rate=self.per_second)

    def start(self, kind: str = "all") -> int:
        return start_backfill(self.engine, self.store_id, kind, self.clock.now)

    def row(self) -> BackfillRow:
        with reading(self.engine) as conn:
            row = find_last_backfill(conn, self.store_id)
        assert row is not None
        return row

    def step(self, context: Context | None = None, open_api: OpenAPI = open_store_client) -> StepResult:
        """One task's worth, at the time it is due."""
        row = self.row()
        self.clock.now = max(self.clock.now, row.next_step_at)
        return run_steps(context or self.context, row.id, row.next_step_at, open_api=open_api)

    def run(self, most: int = 200) -> BackfillRow:
        """Until it ends."""
        for _ in range(most):
            if not self.row().is_open:
                return self.row()
            self.step()
        raise AssertionError(f"still {self.row()}")

    def deliveries(self) -> list[Any]:
        with reading(self.engine) as conn:
            return list(conn.execute(select(core.Delivery.__table__).order_by(core.Delivery.id)))

    def customers_sent(self) -> list[int | None]:
        """Whose profiles leave, by customer id."""
        return sorted(row.message["customer_id"] or 0 for row in self.deliveries())

    def pages(self, resource: str = "") -> list[str]:
        """The addresses of the pages asked for so far."""
        asked = [f"{path}?{query}" for method, path, query in self.shop.asked() if method == "GET"]
        return [one for one in asked if one.startswith(f"/v1/{resource}")]


@pytest.fixture
def backfill(engine: Engine, shop: StoreControl) -> BackfillSetup:
    """A store whose hooks are as they should be."""
    with writing(engine) as conn:
        store_id = add_store(conn).id
        add_connection(conn, store_id)
        set_marketplace_policy(conn, store_id, "forward", COMMAND_LINE, NOW)  # the store shows sources
        save_store_api(conn, store_id, encrypt(SETTINGS.secret_keys, shop.credentials().as_config()), NOW)
        set_hook_registration(conn, store_id, NOW, registers=False)
        record_audit(conn, store_id, NOW, NOW)
    return BackfillSetup(engine, shop, store_id)
