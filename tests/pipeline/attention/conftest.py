"""An installation of one store, its owner, and a list that is computed without servers around it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

import fakeredis
import pytest
from sqlalchemy import Engine

from pipeline.attention.causes import CAUSES
from pipeline.attention.item import AttentionItem
from pipeline.attention.listing import find_attention_items
from pipeline.attention.sweep import sweep
from pipeline.context import Context
from pipeline.ledger.accounts import NewUser, add_member, add_user
from pipeline.ledger.connections import ConnectionRow
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.alarms import list_newest_alarms
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.ledger.stores import StoreRow
from pipeline.settings import Settings
from tests.contexts import make_context
from tests.pipeline.ledger.rows import NOW, add_connection, add_deliveries, add_person, add_store
from tests.pipeline.outbox_takers import take_mails, take_notices

KEYS = ("a-key-that-only-tests-know",)
OWNER = "bea@example.com"
MACHINE_CAUSES = ("clock", "disk_nearly_full", "redis", "database")  # they look at this machine and its servers
LEDGER_CAUSES = [cause for cause in CAUSES if cause.name not in MACHINE_CAUSES]
MINUTE = 60_000_000


@dataclass
class AttentionSetup:
    """What is looked at, and what was reported."""

    engine: Engine
    settings: Settings
    redis: fakeredis.FakeRedis
    store: StoreRow
    link: ConnectionRow
    person_id: int
    clock: int = NOW
    rng: Random = field(default_factory=lambda: Random(7))

    @property
    def context(self) -> Context:
        context = make_context(self.engine, self.redis, lambda: self.clock)
        return replace(context, settings=self.settings, rng=self.rng)

    def set(self, **changed) -> None:
        self.settings = replace(self.settings, **changed)

    def list(self) -> list[AttentionItem]:
        return find_attention_items(self.context, LEDGER_CAUSES)

    def causes(self) -> list[str]:
        return [item.cause for item in self.list()]

    def waits(self, number: int = 1, **more) -> list[int]:
        with writing(self.engine) as conn:
            return add_deliveries(conn, self.link, self.person_id, number, **{"created_at": self.clock, **more})

    def sweep(self, minutes: float = 0) -> None:
        """Look and notify, so many minutes later."""
        self.clock += round(minutes * MINUTE)
        sweep(self.context, LEDGER_CAUSES)

    def alarms(self) -> list[AlarmRow]:
        with reading(self.engine) as conn:
            return [*reversed(list_newest_alarms(conn, 50))]

    def letters(self) -> list[tuple[str, str, str]]:
        """(recipient, subject, text) of what was written since the last time."""
        return take_mails(self.engine, KEYS, self.clock)

    def notices(self) -> list[dict]:
        """The notices written since the last time."""
        return take_notices(self.engine, self.clock)


@pytest.fixture
def attention(engine: Engine, tmp_path) -> AttentionSetup:
    settings = replace(
        Settings.from_environment({}, data_dir=tmp_path),
        secret_keys=KEYS,
        public_url="https://hooks.example.com",
        alarm_url="https://alarms.example.com/cratewire",
    )
    redis = fakeredis.FakeRedis(server=fakeredis.FakeServer())
    with writing(engine) as conn:
        store = add_store(conn, "acme")
        user = add_user(conn, NewUser(OWNER, "hash", OWNER, confirmed=True), NOW)
        assert user is not None
        add_member(conn, store.account_id, user, "owner", NOW)
        return AttentionSetup(
            engine, settings, redis, store, add_connection(conn, store.id), add_person(conn, store.id)
        )
