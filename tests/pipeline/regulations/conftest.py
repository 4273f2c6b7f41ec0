"""A store with hooks of two people, and the eraser of its installation."""

from __future__ import annotations

import json
import zlib
from itertools import count
from random import Random

import pytest
from sqlalchemy import insert, select

from pipeline.inbox.entry import InboxEntry
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.core import Base
from pipeline.ledger.stores import find_store
from pipeline.processing.decode import decode_batch
from pipeline.processing.validate import validate_batch
from pipeline.recording.batch import record_batch
from pipeline.regulations.erase import Eraser, ErasureRequest
from tests.builders import HOUR, NOW

KEYS = ("a-secret-key",)


class Ledger:
    """The ledger of one store: hooks go in as bytes, and everything that is stored comes out as text."""

    def __init__(self, engine):
        self.engine = engine
        self._numbers = count(1)
        self.eraser = Eraser(engine, KEYS, Random(7), self.now)
        with writing(engine) as conn:
            conn.execute(insert(core.Account).values(id=1, name="default", created_at=NOW))
            store = {"id": 1, "account_id": 1, "name": "acme", "created_at": NOW, "forward_also": []}
            conn.execute(insert(core.Store).values(**store))
            wire = {"id": 1, "store_id": 1, "platform": "customerio", "account": "1", "config": b"", "status": "active"}
            conn.execute(insert(core.StoreConnection).values(**wire, status_at=NOW, created_at=NOW))

    def hook(self, event, body, **changes):
        number = next(self._numbers)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        values = {"receipt": f"receipt-{number:04}", "store": "acme", "version": 1, "event": event, "raw": raw}
        return InboxEntry(**{**values, "received_at": NOW + number * HOUR, "entry_id": f"{number}-0", **changes})

    def record(self, *hooks):
        batch = validate_batch(decode_batch(hooks, 0, self.now), self.now)
        raws = {hook.entry_id: (hook.raw, hook.query) for hook in hooks}
        with writing(self.engine) as conn:
            return record_batch(conn, batch["hooks"], batch["failed"], raws, token=None, now=NOW, secret_keys=KEYS)

    def now(self):
        return NOW + 1000 * HOUR

    @property
    def store(self):
        with reading(self.engine) as conn:
            return find_store(conn, "acme")

    def erase(self, text, **how):
        return self.eraser.erase(ErasureRequest(self.store, text, **how))

    def rows(self, model):
        with reading(self.engine) as conn:
            return conn.execute(select(model.__table__).order_by(*model.__table__.primary_key)).all()

    def stored_text(self):
        """Everything in the ledger, in lower case; without regulations, which are hexadecimal."""
        shown = []
        with reading(self.engine) as conn:
            for table in Base.metadata.sorted_tables:
                if not table.name.startswith("regulation"):
                    shown += [value for row in conn.execute(table.select()) for value in row]
        return "\n".join(str(_unpack(value)) for value in shown).lower()

    def counts(self):
        """What an erasure must not change: events by identity, id and outcome, dead hooks, messages by status."""
        messages = [row.status for row in self.rows(core.Delivery) if row.kind != "forget"]
        return (
            [
                (row.id, row.happening, row.ulid, row.outcome, row.duplicates, row.occurred_at)
                for row in self.rows(core.Event)
            ],
            [(row.id, row.reason, row.died_at) for row in self.rows(core.DeadHook)],
            len(messages),
            [(row.event_id, row.person_id, row.role) for row in self.rows(core.EventPerson)],
        )


def _unpack(value):
    if not isinstance(value, bytes):
        return value
    try:
        return zlib.decompress(value).decode("utf-8", "replace")
    except zlib.error:
        return value


@pytest.fixture
def ledger(engine):
    return Ledger(engine)
