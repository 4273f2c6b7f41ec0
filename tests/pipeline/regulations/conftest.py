"""A store with hooks of two people, and the eraser of its installation."""

from __future__ import annotations

import json
import zlib
from itertools import count
from random import Random
from urllib.parse import quote_plus

import pytest
from sqlalchemy import insert, select

from pipeline.inbox.entry import InboxEntry
from pipeline.infra.compression import decompress
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.ledger.stores import find_store
from pipeline.processing.decode import decode_batch
from pipeline.processing.validate import validate_batch
from pipeline.recording.batch import record_batch
from pipeline.regulations.erase import Eraser, ErasureRequest
from tests.builders import (
    BUYER,
    HOUR,
    NOW,
    RECIPIENT,
    customer,
    gift_info,
    gift_order,
    order,
    shipment,
    subscription,
    transaction,
)

KEYS = ("a-secret-key",)
STREET = {"to": "Rory Receiver", "street": "12 Elm Street", "city": "Austin", "phone_number": "512-555-0100"}
BILL = {"to": "Bea Buyer", "street": "1 Oak Road"}
BEA_TEXTS = ("bea.buyer", "bea buyer", '"bea"', "'bea'", "1 oak road")
RORY_TEXTS = ("rory", "receiver@", "elm street", "512-555")


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
        """Everything in the ledger, in lower case; without regulations, which are hexadecimal, and the audit log."""
        shown = []
        with reading(self.engine) as conn:
            for table in list_all_tables():
                if not table.name.startswith(("regulation", "audit_log")):
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
        return decompress(value).decode("utf-8", "replace")
    except zlib.error:
        return value


@pytest.fixture
def ledger(engine):
    return Ledger(engine)


@pytest.fixture
def lived_in(ledger):
    """A gift of Bea's to Rory, a test order, a referral, another buyer, and hooks that could not be read."""
    gift = gift_order(
        ship_address=STREET,
        bill_address=BILL,
        note="For Rory, from Bea",
        order_gift_info=gift_info(gift_message="Enjoy, Rory! Bea"),
    )
    other = order(
        id=99,
        customer=customer(id=9, email="else@example.com", name="Eve Else", first_name="Eve", last_name="Else"),
        customer_id=9,
    )
    ledger.record(
        ledger.hook("customer_new", customer(addresses=[BILL])),
        ledger.hook("order_new", gift),
        ledger.hook("subscription_new", subscription(subscription_gift_info=gift_info(gift_sender=customer()))),
        ledger.hook("shipment_shipped", shipment(ship_address=STREET)),
        ledger.hook("transaction_new", transaction()),
        ledger.hook("order_new", order(id=7, is_test=True)),
        ledger.hook("order_new", {**other, "referred_by": BUYER["email"]}),
        ledger.hook("checkout_failed", {"customer": {"email": BUYER["email"], "first_name": "Bea"}, "order": {}}),
        ledger.hook("order_new", f'{{"id": 8, "customer": {{"email": "{BUYER["email"]}'.encode()),
        ledger.hook("order_new", b'{"x": "' + BUYER["email"].replace("@", "\\u0040").encode()),
        ledger.hook("order_new", b"%7B&email=" + quote_plus(RECIPIENT).encode() + b"&id"),
        ledger.hook("order_new", b'{"someone": "else@example.com'),
    )
    return ledger
