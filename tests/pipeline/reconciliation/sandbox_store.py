"""A sandbox store whose hooks reach the ledger at once, or never, and everything needed to compare the two."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

import fakeredis
from sqlalchemy import Engine, select

from pipeline.core.consent import COMMAND_LINE
from pipeline.core.errors import NotFound
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.factory import open_store_client
from pipeline.events.catalogue import get_event_row
from pipeline.events.identity import identify_event
from pipeline.inbox.entry import InboxEntry
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.observed_events import count_by_day
from pipeline.ledger.reconciliations import create_missing_reconciliations, load_reconciliations, request_pass
from pipeline.ledger.schema import core
from pipeline.ledger.store_apis import save_store_api
from pipeline.operations.consent import set_marketplace_policy
from pipeline.processing.decode import decode_batch
from pipeline.processing.validate import validate_batch
from pipeline.reconciliation.collections import COLLECTIONS
from pipeline.reconciliation.run import reconcile
from pipeline.recording.batch import record_batch
from sandbox.store.shop import customers, orders
from sandbox.store.shop.shop import Shop
from sandbox.store.simulation import actions
from sandbox.store.simulation import context as stage
from sandbox.store.simulation.context import SimulationContext
from sandbox.store.simulation.event_tour import EventTour
from sandbox.store.simulation.existing_customers import add_existing_customers
from sandbox.store.webhooks import body_variants, value_formats, wire_forms
from sandbox.store.webhooks.bodies import build_body
from sandbox.store.webhooks.mix import Mix
from tests.contexts import make_context
from tests.pipeline.ledger.rows import add_connection, add_store
from tests.pipeline.sandbox_store import AMPLE_PER_S
from tests.pipeline.sandbox_store import StoreControl as Served

KEYS = ("k" * 32,)
SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
NAME = "sunny-box"


@dataclass(frozen=True)
class StoreHook:
    """One hook: what it reports, whether it was lost, and its bytes."""

    key: str
    event: str
    subject_id: int | None
    lost: bool
    raw: bytes
    is_test: bool


@dataclass
class ApiWithoutLists:
    """An API without some of its lists."""

    api: CratejoyClient
    gone: set[str]

    def page(self, resource, *args, **more):
        if resource in self.gone:
            raise NotFound(f"GET {resource}: answered 404", 404)
        return self.api.page(resource, *args, **more)


@dataclass
class SandboxStore:
    """The store, the ledger, and a clock that is the store's, or behind it."""

    engine: Engine
    served: Served
    grace_s: float = 900.0
    mix: Mix = field(default_factory=Mix)
    hooks: list[StoreHook] = field(default_factory=list)
    odd: float = 0.0  # how many hooks write times in milliseconds, or statuses in numbers
    gone: set[str] = field(default_factory=set)  # lists the API does not have
    gap: int = 40_000  # seconds between two newcomers
    ahead: int = 0  # µs by which the store's time is ahead of ours
    _numbers: count = field(default_factory=lambda: count(1))
    _inbox: list = field(default_factory=list)

    def __post_init__(self):
        self.redis = fakeredis.FakeRedis()
        self.world = self.served.running.world
        self.rng, self.luck = random.Random(7), random.Random(11)
        self.losing = lambda _: False
        self.shop = Shop(self.world.state, self, self.world.person_generator, self.rng)
        self.scene = SimulationContext(self.shop, self.world.schedule, self.rng, self.mix, self.gap)
        self.store_id = 0

    def now(self):
        return self.world.state.now * SECOND - self.ahead

    def connect(self):
        """Keys saved and a platform connected; every collection is due."""
        with writing(self.engine) as conn:
            self.store_id = add_store(conn, NAME).id
            add_connection(conn, self.store_id)
            set_marketplace_policy(conn, self.store_id, "forward", COMMAND_LINE, self.now())  # its orders show sources
            save_store_api(conn, self.store_id, encrypt(KEYS, self.served.credentials().as_config()), self.now())
            create_missing_reconciliations(conn, list(COLLECTIONS), 0, self.now())
        self.world.state.tick(1)

    @property
    def context(self):
        spans = {"reconcile_seconds": 3_600.0, "reconcile_overlap_seconds": 7_200.0}
        spans["reconcile_grace_seconds"] = self.grace_s
        return make_context(self.engine, self.redis, self.now, secret_keys=KEYS, cratejoy_rate=AMPLE_PER_S, **spans)

    def open_api(self, context, store_id):
        return ApiWithoutLists(open_store_client(context, store_id), self.gone)

    def run(self):
        """Compare what is due, once the chain has done its work."""
        self.record()
        return reconcile(self.context, self.store_id, open_api=self.open_api)

    def compare(self):
        """One whole pass, now."""
        with writing(self.engine) as conn:
            request_pass(conn, self.store_id, self.now())
        passed = self.run()
        assert passed.done, passed
        assert not [row.error for row in self.rows() if row.error]
        return passed

    def compare_later(self, after=HOUR):
        self.wait(after)
        return self.compare()

    def wait(self, micros):
        self.world.state.tick(micros // SECOND)

    # The store's listener

    def report(self, news):
        body = build_body(self.world.state, news)
        body = value_formats.format_dates("epoch_ms")(body) if self.dressed() else body
        body = body_variants.use_integer_statuses(body) if self.dressed() else body
        self.deliver(news.event, wire_forms.FORMS["A"](body), lost=self.losing(news), is_test=news.test)

    def dressed(self):
        return self.luck.random() < self.odd

    def deliver(self, event, raw, *, lost=False, is_test=False):
        number = next(self._numbers)
        at = self.now()
        head = {"receipt": f"{number:032x}", "store": NAME, "version": 1, "event": event, "received_at": at}
        entry = InboxEntry(**head, source="hook", raw=raw, query=None, entry_id=f"{number}-0")
        [hook] = validate_batch(decode_batch([entry], 0, self.now), self.now)["hooks"]
        happening = identify_event(get_event_row(event), hook["data"], hook["fingerprint"], at)
        subject = hook["data"].get("id") or (hook["data"].get("transaction") or {}).get("id")
        self.hooks.append(StoreHook(happening.key, event, subject, lost, raw, is_test))
        if not lost:
            self._inbox.append((hook, raw))

    def record(self):
        """What waits goes into the ledger."""
        hooks, self._inbox = self._inbox, []
        with writing(self.engine) as conn:
            raws = {hook["entry_id"]: (raw, None) for hook, raw in hooks}
            kept = [hook for hook, _ in hooks]
            record_batch(conn, kept, [], raws, token=None, now=self.now(), secret_keys=KEYS)

    def deliver_late(self, hook):
        """The hook that was lost comes after all."""
        self.deliver(hook.event, hook.raw)

    # Life

    def buy(self, *, test=False):
        """A new customer registers and subscribes to a box, month by month."""
        customer = customers.register(self.shop)
        return orders.buy(self.shop, customer, stage.box_basket(self.scene, 1), test=test)

    def settle(self, people):
        state = self.world.state
        add_existing_customers(state, self.world.person_generator, self.world.schedule, self.rng, people)

    def tour(self):
        for step in EventTour().steps():
            self.world.state.tick(self.rng.randrange(60, 3600))
            step.run(self.scene)

    def live(self, hooks):
        """By chance, until so many hooks have been sent or lost."""
        for act in actions.RECURRING_ACTIONS:
            self.world.schedule.add(self.scene.later(1), act)
        while len(self.hooks) < hooks:
            entry = self.world.schedule.pop()
            self.world.state.now = max(self.world.state.now, entry.at)
            actions.ACTIONS[entry.act](self.scene, entry.subject)

    # What came of it

    @property
    def lost(self):
        return [one for one in self.hooks if one.lost]

    def events(self, source=None):
        with reading(self.engine) as conn:
            rows = conn.execute(select(core.Event.__table__).order_by(core.Event.id)).all()
        return [row for row in rows if source in (None, row.source)]

    def recovered(self):
        """(event, subject's id) of everything no hook has reported, sorted."""
        return sorted((row.name, row.subject_id) for row in self.events("reconcile"))

    def deliveries(self, name):
        with reading(self.engine) as conn:
            rows = conn.execute(select(core.Delivery.__table__).order_by(core.Delivery.id)).all()
        return [row for row in rows if row.name == name]

    def rows(self):
        with reading(self.engine) as conn:
            return load_reconciliations(conn, self.store_id)

    def row(self, collection):
        return next(row for row in self.rows() if row.collection == collection)

    def counted(self):
        """Of all days: expected, missed, late, dead."""
        with reading(self.engine) as conn:
            counts = count_by_day(conn, 0)
        total = Counter()
        for one in counts:
            total.update(expected=one.expected, missed=one.missed, late=one.late, dead=one.dead)
        return total

    def packed(self, text):
        """Bytes as the ledger keeps a dead hook's."""
        return zlib.compress(text.encode())
