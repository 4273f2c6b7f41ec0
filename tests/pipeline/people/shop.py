"""A store whose hooks are recorded, sent, compared and erased by the real code; its platform follows a script."""

from __future__ import annotations

from random import Random

import fakeredis
from sqlalchemy import update

from pipeline.delivery.lane import run_lane
from pipeline.delivery.open_connection import LaneDeps, OpenConnection
from pipeline.events.money import format_money
from pipeline.inbox.entry import InboxEntry
from pipeline.ledger.connections import pause_connection
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fence import lock_fence
from pipeline.ledger.queries.person_events import EventsAsked
from pipeline.ledger.schema import core
from pipeline.ledger.stores import find_store
from pipeline.people.timeline import answer_why
from pipeline.processing.decode import decode_batch
from pipeline.processing.validate import validate_batch
from pipeline.reconciliation.classify import PageRules
from pipeline.reconciliation.compare import compare_page
from pipeline.reconciliation.evidence import order_events
from pipeline.recording.api_page import ApiPage, record_api_page
from pipeline.recording.batch import record_batch
from pipeline.recording.load_stores import load_stores_by_name
from pipeline.regulations.erase import Eraser, ErasureRequest
from tests.builders import HOUR, NOW, order
from tests.contexts import make_context
from tests.pipeline.delivery.fake_destination import ScriptedBudget, ScriptedDestination
from tests.pipeline.recording.conftest import HookRecorder

DAY, SECOND = 24 * HOUR, 1_000_000
KEYS = ("a-secret-key",)


class Shop(HookRecorder):
    """A store with one connection, the lane that sends from it, and what its platform answers."""

    def __init__(self, engine):
        super().__init__(engine)
        with writing(engine) as conn:
            conn.execute(update(core.StoreConnection).values(label=""))
        self.platform, self.budget, self.now = ScriptedDestination(), ScriptedBudget(), NOW
        self._redis = fakeredis.FakeRedis(server=fakeredis.FakeServer())

    def report(self, event="order_new", data=None, **how):
        self.record_one(event, order() if data is None else data, at=how.pop("at", NOW), **how)

    def send(self, *behaviours, at=NOW + SECOND):
        self.now = at
        self.platform.next.extend(behaviours)
        context = make_context(self.engine, self._redis, lambda: self.now)
        opened = OpenConnection(self.platform, self.budget, self.budget)
        run_lane(LaneDeps(context, lambda _: opened), 1, 0, until=at + 60 * SECOND)

    def pause(self, reason):
        with writing(self.engine) as conn:
            pause_connection(conn, 1, reason, NOW + SECOND)

    def show_in_api(self, *objects, at=NOW):
        with writing(self.engine) as conn:
            store = load_stores_by_name(conn, {"acme"})["acme"]
            page = ApiPage("orders", list(objects), at, 1, sends_profiles=False)
            record_api_page(conn, store, page, at)

    def compare(self, *objects, at):
        rules = PageRules(0, at, HOUR, is_first_pass=False, forwards_tests=False, sends_renewals=False)
        with writing(self.engine) as conn:
            lock_fence(conn, "inbox")
            store = load_stores_by_name(conn, {"acme"})["acme"]
            compare_page(conn, store, [one for shown in objects for one in order_events(shown)], rules, at)

    def receive(self, raw, at=NOW):
        entry = InboxEntry(f"broken-{len(raw)}", "acme", 1, "order_new", at, raw, entry_id="9-0")
        batch = validate_batch(decode_batch([entry], 0, lambda: at), lambda: at)
        with writing(self.engine) as conn:
            record_batch(conn, batch["hooks"], batch["failed"], {"9-0": (raw, None)}, token=None, now=at)

    def erase(self, text):
        with reading(self.engine) as conn:
            store = find_store(conn, "acme")
        Eraser(self.engine, KEYS, Random(7), lambda: NOW + 2 * SECOND).erase(ErasureRequest(store, text))

    def why(self, person_id=1, at=None, **asked):
        with reading(self.engine) as conn:
            store = find_store(conn, "acme")
            return answer_why(conn, store, person_id, EventsAsked(**asked), format_money, at or self.now)
