"""A shop whose recorded hooks are run again: bytes as a store sends them, of people with orders, boxes and gifts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import Engine, select

from bench.hooks import make_hooks
from pipeline.inbox.entry import InboxEntry
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.ledger.stores import find_store
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch
from pipeline.rehearsal.change import NO_CHANGE
from pipeline.rehearsal.run import Rehearsal, rehearse
from tests.builders import HOUR, NOW
from tests.contexts import SETTINGS, make_context
from tests.pipeline.recording.conftest import HookRecorder

CONNECTION = 1


@dataclass
class RecordedShop:
    """Hooks in a ledger, and rehearsals of them."""

    engine: Engine
    data_dir: object

    @property
    def context(self):
        context = make_context(self.engine)
        return replace(context, settings=replace(SETTINGS, data_dir=self.data_dir))

    def receive(self, hooks, first=0, at=NOW):
        """Bring bytes into the ledger as a worker does. `hooks`: (event, body)."""
        for number, (event, body) in enumerate(hooks, first):
            values = {"receipt": f"{number:032x}", "store": "acme", "version": 1, "event": event}
            entry = InboxEntry(**values, received_at=at + number * HOUR, raw=body, entry_id=f"{number}-0")
            batch = validate_batch(decode_batch([entry], 1, lambda: at), lambda: at)
            when = at + number * HOUR + 1
            record(self.engine, batch, {entry.entry_id: (entry.raw, entry.query)}, lambda when=when: when)

    def rehearse(self, change=NO_CHANGE, since=NOW, **more):
        with reading(self.engine) as conn:
            store = find_store(conn, "acme")
        return rehearse(self.context, Rehearsal(store, since, change, **more))

    def report(self, change=NO_CHANGE, **more):
        with self.rehearse(change, **more) as (report, _):
            return report

    def dump(self):
        """Every row of every table."""
        with reading(self.engine) as conn:
            return {table.name: conn.execute(select(table)).all() for table in list_all_tables()}


@pytest.fixture
def recorded(tmp_path, migrated_sqlite):
    """A shop on SQLite with sixty hooks."""
    yield from build_shop(tmp_path, migrated_sqlite, 60)


@pytest.fixture
def empty_twin(tmp_path, migrated_sqlite):
    """A shop without hooks."""
    yield from build_shop(tmp_path / "twin", migrated_sqlite, 0)


def build_shop(tmp_path, migrated_sqlite, hooks):
    tmp_path.mkdir(exist_ok=True)
    shutil.copy(migrated_sqlite, tmp_path / "shop.db")
    engine = make_engine(f"sqlite:///{tmp_path}/shop.db")
    HookRecorder(engine)
    data = tmp_path / "data"
    data.mkdir()
    shop = RecordedShop(engine, data)
    shop.receive([(hook.event, hook.body) for hook in make_hooks(hooks, seed=3)])
    yield shop
    engine.dispose()
