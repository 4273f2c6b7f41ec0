"""Stores with a past in the ledger, and a clock that jumps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

import pytest
from sqlalchemy import Engine, insert, update

from pipeline.context import Context
from pipeline.core.roles import Role
from pipeline.ledger.accounts import NewUser, add_member, add_user
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.alarms import list_newest_alarms
from pipeline.ledger.monitoring.canaries import claim_canary, record_canary_answer
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.ledger.schema.monitoring import Canary, HourlyActivity
from pipeline.ledger.stores import save_store
from pipeline.monitoring.sweep import sweep
from tests.contexts import make_context
from tests.pipeline.monitoring.hook_histories import DAY, active_hours_at, every_day, hour_us
from tests.pipeline.outbox_takers import take_mails, take_notices

KEYS = ("a-key-that-only-tests-know",)
PUBLIC = "https://hooks.example.com"
ALARM_URL = "https://alarms.example.com/cratewire"
OFFICE_HOURS = range(9, 18)


@dataclass
class MonitoredStores:
    """Stores that send hooks from nine to six. It is evening after their last day."""

    engine: Engine
    clock: int = hour_us(30 * DAY - 4)
    canary_seconds: float = 0.0
    heartbeat_seconds: float = 0.0
    notices: bool = True
    stores: dict[str, int] = field(default_factory=dict)
    rng: Random = field(default_factory=lambda: Random(7))

    def store(self, name: str = "acme", account: str = "default", events: tuple[str, ...] = ("order_new",)) -> int:
        with writing(self.engine) as conn:
            self.stores[name] = save_store(conn, name, self.clock, account=account).id
        for event in events:
            self.received(name, *every_day(OFFICE_HOURS, 30), event=event)
        return self.stores[name]

    def received(self, store: str, *hours: float, event: str = "order_new") -> None:
        """Hooks so many hours after the beginning."""
        rows = [
            {"hour": one.hour, "first_at": one.first_at, "last_at": one.last_at, "hooks": 1}
            for one in active_hours_at(hours)
        ]
        mine = {"store_id": self.stores[store], "event": event}
        with writing(self.engine) as conn:
            conn.execute(insert(HourlyActivity), [{**mine, **row} for row in rows])

    def owner(self, email: str, account: str = "default", role: Role = "owner", *, confirmed: bool = True) -> None:
        with writing(self.engine) as conn:
            user_id = add_user(conn, NewUser(email, "hash", email, confirmed=confirmed), self.clock)
            store = save_store(conn, f"of-{account}", self.clock, account=account)
            assert user_id is not None
            add_member(conn, store.account_id, user_id, role, self.clock)

    def sweep(self, hours: float = 0.0) -> list[int]:
        """Look, so many hours later."""
        self.clock += hour_us(hours) - hour_us(0)
        return sweep(self.context)

    @property
    def context(self) -> Context:
        context = make_context(
            self.engine,
            now=lambda: self.clock,
            secret_keys=KEYS,
            public_url=PUBLIC,
            alarm_url=ALARM_URL if self.notices else None,
            heartbeat_seconds=self.heartbeat_seconds,
            canary_seconds=self.canary_seconds,
        )
        return replace(context, rng=self.rng)

    def alarms(self) -> list[AlarmRow]:
        with reading(self.engine) as conn:
            return [*reversed(list_newest_alarms(conn, 50))]

    def open(self) -> list[tuple[str | None, str]]:
        """(store, event) of the open alarms."""
        return [(one.store, one.event) for one in self.alarms() if one.ended_at is None]

    def letters(self) -> list[tuple[str, str, str]]:
        """(recipient, subject, text) of what was written since the last time."""
        return take_mails(self.engine, KEYS, self.clock)

    def sent_now(self) -> list[dict]:
        """The notices written since the last time."""
        return take_notices(self.engine, self.clock)

    def answer(self, canaries: list[int], fault: str | None = None, *, arrives: bool = True) -> None:
        """What becomes of canaries that were sent just now."""
        with writing(self.engine) as conn:
            for canary_id in canaries:
                claim_canary(conn, canary_id, self.clock)
                record_canary_answer(conn, canary_id, fault, self.clock)
                if fault is None and arrives:
                    conn.execute(update(Canary).where(Canary.id == canary_id).values(arrived_at=self.clock))


@pytest.fixture
def shops(engine: Engine) -> MonitoredStores:
    return MonitoredStores(engine)
