"""A sandbox store whose hooks reach the ledger at once, or never, and everything needed to compare the two."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

import fakeredis
from sqlalchemy import Engine, select

from pipeline.chain.decoding import decode_batch
from pipeline.chain.validating import validate_batch
from pipeline.cratejoy.client import Cratejoy
from pipeline.cratejoy.opening import open_with
from pipeline.errors import NotFound
from pipeline.events.happening import happening_of
from pipeline.events.table import row_of
from pipeline.http import HTTP
from pipeline.inbox.raw_hook import InboxEntry
from pipeline.ledger import tables
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.reconciliations import ask_for_pass, begin_new, rows_of
from pipeline.ledger.shown import counts_by_day
from pipeline.ledger.store_apis import save_api
from pipeline.reconciliation.asking import COLLECTIONS
from pipeline.reconciliation.means import Means, Times
from pipeline.reconciliation.passing import reconcile
from pipeline.record.batch import record_batch
from pipeline.secrets import seal
from sandbox.store.life import acts
from sandbox.store.life import scene as stage
from sandbox.store.life.before import settle_people
from sandbox.store.life.scene import Scene
from sandbox.store.life.tour import Tour
from sandbox.store.shop import customers, orders
from sandbox.store.shop.desk import Shop
from sandbox.store.telling import values, variants, wire
from sandbox.store.telling.bodies import body_of
from sandbox.store.telling.mix import Mix
from tests.pipeline.ledger.rows import add_connection, add_store
from tests.pipeline.shop import AMPLE
from tests.pipeline.shop import Shop as Served

KEYS = ("k" * 32,)
SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
NAME = "sunny-box"


@dataclass(frozen=True)
class Told:
    """One hook: what it tells, whether it was lost, and its bytes."""

    key: str
    event: str
    subject_id: int | None
    lost: bool
    raw: bytes
    is_test: bool


@dataclass
class Gapped:
    """An API without some of its lists."""

    api: Cratejoy
    gone: set[str]

    def page(self, resource, *args, **more):
        if resource in self.gone:
            raise NotFound(f"GET {resource}: answered 404", 404)
        return self.api.page(resource, *args, **more)


@dataclass
class Town:
    """The store, the ledger, and a clock that is the store's, or behind it."""

    engine: Engine
    served: Served
    times: Times = field(default_factory=lambda: Times(HOUR, 2 * HOUR, 15 * MINUTE))
    mix: Mix = field(default_factory=Mix)
    hooks: list[Told] = field(default_factory=list)
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
        self.shop = Shop(self.world.state, self, self.world.folk, self.rng)
        self.scene = Scene(self.shop, self.world.agenda, self.rng, self.mix, self.gap)
        self.store_id = 0

    def now(self):
        return self.world.state.now * SECOND - self.ahead

    def connect(self):
        """Keys saved and a platform connected; every collection is due."""
        with writing(self.engine) as db:
            self.store_id = add_store(db, NAME).id
            add_connection(db, self.store_id)
            save_api(db, self.store_id, seal(KEYS, self.served.credentials().as_config()), self.now())
            begin_new(db, list(COLLECTIONS), 0, self.now())
        self.world.state.tick(1)

    @property
    def means(self):
        api = open_with(self.served.credentials(), self.redis, http=HTTP(), per_second=AMPLE)
        return Means(self.engine, self.redis, lambda _: Gapped(api, self.gone), self.now, self.times)

    def run(self):
        """Compare what is due, once the chain has done its work."""
        self.record()
        return reconcile(self.means, self.store_id)

    def compare(self):
        """One whole pass, now."""
        with writing(self.engine) as db:
            ask_for_pass(db, self.store_id, self.now())
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

    def tell(self, news):
        body = body_of(self.world.state, news)
        body = values.moments("epoch_ms")(body) if self.dressed() else body
        body = variants.integer_status(body) if self.dressed() else body
        self.deliver(news.event, wire.FORMS["A"](body), lost=self.losing(news), is_test=news.test)

    def dressed(self):
        return self.luck.random() < self.odd

    def deliver(self, event, raw, *, lost=False, is_test=False):
        number = next(self._numbers)
        at = self.now()
        head = {"receipt": f"{number:032x}", "store": NAME, "version": 1, "event": event, "received_at": at}
        entry = InboxEntry(**head, source="hook", raw=raw, query=None, entry_id=f"{number}-0")
        [hook] = validate_batch(decode_batch([entry], 0, self.now), self.now)["hooks"]
        happening = happening_of(row_of(event), hook["data"], hook["fingerprint"], at)
        subject = hook["data"].get("id") or (hook["data"].get("transaction") or {}).get("id")
        self.hooks.append(Told(happening.key, event, subject, lost, raw, is_test))
        if not lost:
            self._inbox.append((hook, raw))

    def record(self):
        """What waits goes into the ledger."""
        hooks, self._inbox = self._inbox, []
        with writing(self.engine) as db:
            raws = {hook["entry_id"]: (raw, None) for hook, raw in hooks}
            record_batch(db, [hook for hook, _ in hooks], [], raws, token=None, now=self.now())

    def come_late(self, told):
        """The hook that was lost comes after all."""
        self.deliver(told.event, told.raw)

    # Life

    def buy(self, *, test=False):
        """Somebody new registers and subscribes to a box, month by month."""
        customer = customers.register(self.shop)
        return orders.buy(self.shop, customer, stage.box_basket(self.scene, 1), test=test)

    def settle(self, people):
        state = self.world.state
        settle_people(state, self.world.folk, self.world.agenda, self.rng, people)

    def tour(self):
        for step in Tour().steps():
            self.world.state.tick(self.rng.randrange(60, 3600))
            step.play(self.scene)

    def live(self, hooks):
        """By chance, until so many hooks have been told or lost."""
        for act in acts.ENDLESS:
            self.world.agenda.add(self.scene.later(1), act)
        while len(self.hooks) < hooks:
            entry = self.world.agenda.pop()
            self.world.state.now = max(self.world.state.now, entry.at)
            acts.ACTS[entry.act](self.scene, entry.subject)

    # What came of it

    @property
    def lost(self):
        return [one for one in self.hooks if one.lost]

    def events(self, source=None):
        with reading(self.engine) as db:
            rows = db.execute(select(tables.Event.__table__).order_by(tables.Event.id)).all()
        return [row for row in rows if source in (None, row.source)]

    def recovered(self):
        """(event, subject's id) of everything no hook has told, sorted."""
        return sorted((row.name, row.subject_id) for row in self.events("reconcile"))

    def deliveries(self, name):
        with reading(self.engine) as db:
            rows = db.execute(select(tables.Delivery.__table__).order_by(tables.Delivery.id)).all()
        return [row for row in rows if row.name == name]

    def rows(self):
        with reading(self.engine) as db:
            return rows_of(db, self.store_id)

    def row(self, collection):
        return next(row for row in self.rows() if row.collection == collection)

    def counted(self):
        """Of all days: expected, missed, late, dead."""
        with reading(self.engine) as db:
            counts = counts_by_day(db, 0)
        total = Counter()
        for one in counts:
            total.update(expected=one.expected, missed=one.missed, late=one.late, dead=one.dead)
        return total

    def packed(self, text):
        """Bytes as the ledger keeps a dead hook's."""
        return zlib.compress(text.encode())
