"""A store with one connection, and a recorder of its hooks."""

from __future__ import annotations

import hashlib
import json
from itertools import count

import pytest
from sqlalchemy import insert, select, update

from pipeline.events.catalogue import get_event_row
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.recording.batch import record_batch
from tests.builders import HOUR, NOW


class HookRecorder:
    """Records hooks of a store and reads the rows that follow from them."""

    def __init__(self, engine, connections=1, lanes=1):
        self.engine = engine
        self._numbers = count(1)
        with writing(engine) as conn:
            conn.execute(insert(core.Account).values(id=1, name="default", created_at=NOW))
        self.add_store(1, "acme", connections, lanes)

    def add_store(self, store_id, name, connections=1, lanes=1):
        first = (store_id - 1) * 10 + 1
        with writing(self.engine) as conn:
            row = {"id": store_id, "account_id": 1, "name": name, "created_at": NOW, "forward_also": []}
            conn.execute(insert(core.Store).values(**row))
            for number in range(first, first + connections):
                wire = {"platform": "customerio", "label": str(number), "account": "1", "config": b"", "status_at": NOW}
                row = {**wire, "id": number, "store_id": store_id, "status": "active", "lanes": lanes}
                conn.execute(insert(core.StoreConnection).values(**row, created_at=NOW))

    def hook(self, event, data, *, at=None, receipt=None, store="acme", version=1, source="hook", body=None):
        number = next(self._numbers)
        canonical = json.dumps(body if body is not None else data, sort_keys=True).encode()
        at = NOW + number * HOUR if at is None else at
        return {
            "entry_id": f"{number}-0",
            "receipt": receipt or f"receipt-{number:04}",
            "store": store,
            "version": version,
            "event": event,
            "received_at": at,
            "source": source,
            "form": "A",
            "fingerprint": hashlib.sha256(canonical).hexdigest(),
            "decoded_at": at,
            "validated_at": at,
            "data": data,
            "unknown": [],
        }

    def record(self, *hooks, failed=(), token=None, raws=None):
        if raws is None:
            raws = {hook["entry_id"]: (b"raw", None) for hook in (*hooks, *failed)}
        with writing(self.engine) as conn:
            return record_batch(conn, list(hooks), list(failed), raws, token=token, now=NOW + 1)

    def record_one(self, event, data, **how):
        return self.record(self.hook(event, data, **how))

    def rows(self, model):
        with reading(self.engine) as conn:
            return conn.execute(select(model.__table__).order_by(*model.__table__.primary_key)).all()

    def sent(self, kind="event"):
        """(person's e-mail, event name) of every delivery, in the order in which they leave."""
        return [(row.message["email"], row.name) for row in self.rows(core.Delivery) if row.kind == kind]

    def change_store(self, **values):
        with writing(self.engine) as conn:
            conn.execute(update(core.Store).values(**values))


@pytest.fixture
def recorder(engine):
    assert get_event_row("order_new").forwarded
    return HookRecorder(engine)
