"""A store whose hooks are recorded, and whose ledger is swept, at times that a test chooses."""

from __future__ import annotations

from dataclasses import dataclass

import fakeredis

from pipeline.core.messages import CallRecord, Sent
from pipeline.ledger.deliveries import acquire_lane, settle
from pipeline.ledger.deliveries.claim import claim
from pipeline.ledger.engine import writing
from pipeline.operations.retention import DAY_US, Clock, sweep
from pipeline.recording.batch import record_batch
from tests.builders import NOW, order
from tests.contexts import make_context
from tests.pipeline.recording.conftest import HookRecorder


class FakeSeconds:
    """Seconds that pass only while the sweep sleeps, or as each slice takes."""

    def __init__(self, slice_s=0.0):
        self.now, self.slice_s, self.slept = 0.0, slice_s, []

    def monotonic(self):
        self.now += self.slice_s
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.slept.append(seconds)


@dataclass
class Shop:
    """A store whose hooks are recorded, and whose ledger is swept, at times that the test chooses."""

    recorder: HookRecorder
    redis: fakeredis.FakeRedis

    @property
    def engine(self):
        return self.recorder.engine

    def record(self, *hooks, at=NOW, failed=()):
        raws = {hook["entry_id"]: (b"raw", None) for hook in (*hooks, *failed)}
        with writing(self.engine) as conn:
            return record_batch(conn, list(hooks), list(failed), raws, token=None, now=at)

    def hook(self, event, data, **more):
        return self.recorder.hook(event, data, **{"at": NOW, **more})

    def send_all(self, at=NOW):
        with writing(self.engine) as conn:
            held = acquire_lane(conn, 1, 0, at)
            messages = claim(conn, held, 500)
            call = CallRecord("POST", "/api/v2/batch", 200, at, 5, len(messages))
            settle(conn, held, [(message.delivery_id, Sent(())) for message in messages], [call], at)

    def sweep(self, days, clock=None, **settings):
        context = make_context(self.engine, self.redis, lambda: NOW + round(days * DAY_US), **settings)
        fake = clock or FakeSeconds()
        return sweep(context, Clock(fake.monotonic, fake.sleep))

    def rows(self, model):
        return self.recorder.rows(model)

    def count(self, *models):
        return [len(self.rows(model)) for model in models]


def orders(shop, count, at=NOW, first=10_000):
    shop.record(*(shop.hook("order_new", order(id=first + number)) for number in range(count)), at=at)


def sell_and_send(shop):
    shop.record(shop.hook("order_new", order()))
    shop.send_all()
    return shop
