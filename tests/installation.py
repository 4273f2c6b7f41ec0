"""An installation in small: empty servers, a store, hooks for its inbox, and this process as one of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Row, create_engine, select

from pipeline.context import Context
from pipeline.inbox import stream
from pipeline.inbox.entry import InboxEntry, RawHook
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.connections import NewConnection, save_connection, set_connection_config
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.base import Base
from pipeline.ledger.stores import save_store
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch
from tasks import process
from tests.builders import NOW

KEY = "a-key-that-only-tests-know"
_receipts = count(1)
_HEAD = tuple(RawHook.__dataclass_fields__)


@dataclass(frozen=True)
class Installation:
    process: Context
    environment: Mapping[str, str]  # what another process of the installation is started with

    @property
    def data(self) -> Path:
        return self.process.settings.data_dir

    def connect(self, config: Mapping[str, str], store: str = "acme", lanes: int = 1) -> int:
        """A store with a connection, as `cratewire connect` would leave it. Returns the connection's id."""
        with writing(self.process.engine) as db:
            owner = save_store(db, store, NOW)
            link = save_connection(db, NewConnection(owner.id, "customerio", "1", b"", lanes=lanes), NOW)
            sealed = encrypt(self.process.settings.secret_keys, dict(config), link.identity)
            set_connection_config(db, link.id, sealed)
            return link.id

    def receive(self, *hooks: RawHook) -> None:
        """Put hooks into the inbox, without waking a worker."""
        for hook in hooks:
            stream.add(self.process.redis, hook)

    def record(self, *hooks: RawHook) -> list[int]:
        """Bring hooks straight into the ledger. Returns the connections that have something to do now."""
        entries = [InboxEntry(**{name: getattr(hook, name) for name in _HEAD}, entry_id=hook.receipt) for hook in hooks]
        now = self.process.now
        batch = validate_batch(decode_batch(entries, 0, now), now)
        raws = {entry.entry_id: (entry.raw, entry.query) for entry in entries}
        recorded = record(self.process.engine, batch, raws, now, self.process.settings.secret_keys)
        return sorted({connection for one in recorded for connection in one.connections})

    @contextmanager
    def ledger_away(self) -> Iterator[None]:
        """The database cannot be opened until the block ends."""
        away = replace(self.process, engine=create_engine("sqlite:////nowhere/at/all.db"))
        process._contexts[os.getpid()] = away
        yield
        process._contexts[os.getpid()] = self.process

    def rows(self, model: type[Base]) -> list[Row[Any]]:
        with reading(self.process.engine) as db:
            table = model.__table__
            return list(db.execute(select(table).order_by(*table.primary_key)))  # type: ignore[attr-defined]


def list_events(installed: Installation) -> list[tuple[str, int]]:
    """The name and the order of each event in the ledger, oldest first."""
    return [(row.name, row.subject_id) for row in installed.rows(core.Event)]


def order_hook(number: int, email: str = "bea.buyer@example.com", customer_id: int = 7001, **changes: Any) -> RawHook:
    """A new order of customer 7001, whatever the number, unless `customer_id` says of whom."""
    buyer = {"id": customer_id, "email": email, "first_name": "Bea", "type": "customer"}
    order = {"id": number, "customer": buyer, "total": 3495, "is_gift": False, "type": "order"}
    return make_hook(json.dumps(order).encode(), **changes)


def make_hook(raw: bytes, **changes: Any) -> RawHook:
    number = next(_receipts)
    values = {"receipt": f"{number:032x}", "store": "acme", "version": 1, "event": "order_new"}
    return RawHook(**{**values, "received_at": NOW + number, "raw": raw, **changes})
