"""A ledger in which everyone has a rollup has the same rows as one in which no one has: over random histories."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from pipeline.fan_out import rollup
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.retention.kinds import KINDS
from pipeline.ledger.schema import core
from pipeline.ledger.schema.history import AttributeChange
from pipeline.recording import people
from pipeline.recording.api_page import ApiPage, enqueue_unsent_profiles, record_api_page
from pipeline.recording.load_stores import load_stores_by_name
from pipeline.recording.rejudge import rejudge_people
from pipeline.regulations.rows import empty_rows
from tests.builders import (
    HOUR,
    NOW,
    customer,
    gift_info,
    order,
    shipment,
    subscription,
    transaction,
)
from tests.pipeline.recording.conftest import HookRecorder

COMPARED = (
    *(core.Event, core.Person, core.PersonKey, core.Fact, core.Gift, core.EventPerson, core.Delivery),
    AttributeChange,
)
NEVER = 10**9  # facts
SHOP, MARKET, UNKNOWN = 1, 2, 3


@dataclass
class Twins:
    """Two ledgers with the same hooks: in one everyone has a rollup, in the other no one."""

    rolled: HookRecorder
    whole: HookRecorder

    def do(self, act):
        """Do the same in both."""
        for recorder, min_facts in ((self.rolled, 0), (self.whole, NEVER)):
            people.MIN_FACTS = min_facts
            act(recorder)

    def assert_same(self):
        for model in COMPARED:
            one, other = self.rolled.rows(model), self.whole.rows(model)
            assert one == other


@pytest.fixture
def make_twins(migrated_sqlite, tmp_path, monkeypatch):
    monkeypatch.setattr(people, "MIN_FACTS", 0)
    monkeypatch.setattr(rollup, "_KEPT", {})
    made = []

    def make(kept):
        monkeypatch.setattr(rollup, "_KEPT_OF_EACH_RANKING", kept)
        for name in ("rolled", "whole"):
            path = tmp_path / f"{name}-{len(made)}.db"
            shutil.copy(migrated_sqlite, path)
            made.append(make_engine(f"sqlite:///{path}"))
        twins = Twins(*(HookRecorder(engine) for engine in made[-2:]))
        twins.do(lambda recorder: recorder.change_store(marketplace_sources=["2"], storefront_sources=["1"]))
        return twins

    yield make
    for engine in made:
        engine.dispose()


def draw_buyer(rng):
    number = rng.randint(1, 3)
    shown = {
        "id": number,
        "email": f"p{number}@example.com",
        "first_name": f"P{number}",
        "num_orders": rng.randint(0, 9),
    }
    return customer(**shown), number


def draw_day(rng):
    return f"2026-0{rng.randint(1, 9)}-{rng.randint(10, 28)}T01:00:00Z"


def draw_gift(rng):
    return gift_info(gift_recipient_email=f"p{rng.randint(1, 5)}@example.com")


def draw_source(rng):
    return {"source": source} if (source := rng.choice([None, SHOP, SHOP, MARKET, UNKNOWN])) else {}


def draw_order(rng):
    buyer, who = draw_buyer(rng)
    given = {"order_gift_info": draw_gift(rng), "is_gift": True} if rng.random() < 0.3 else {}
    money = {"refunded_amount": rng.choice([0, 0, 3495]), "financial_status": rng.choice(["paid", "paid", "voided"])}
    times = {"placed_at": draw_day(rng), "is_test": rng.random() < 0.1}
    number = 10 * who + rng.randint(0, 8)
    return order(id=number, customer=buyer, customer_id=who, **times, **money, **given, **draw_source(rng))


def draw_subscription(rng):
    buyer, who = draw_buyer(rng)
    day, status = draw_day(rng), rng.choice(["active", "cancelled", "past_due", "expired"])
    given = {"subscription_gift_info": draw_gift(rng)} if rng.random() < 0.2 else {}
    times = {"start_date": day, "end_date": day.replace("2026", "2027")}
    number = 100 + 10 * who + rng.randint(0, 8)
    return subscription(id=number, customer=buyer, status=status, **times, **given, **draw_source(rng))


def draw_shipment(rng):
    its_order = draw_order(rng)
    box = {"id": 300 + its_order["id"], "order": its_order, "is_test": False}
    day = draw_day(rng)
    times = {"shipped_at": day, "tracking_number": day}
    return shipment(id=200 + its_order["id"], customer=its_order["customer"], fulfillments=[box], **times)


BODIES = {
    "customer_new": lambda rng: draw_buyer(rng)[0],
    "order_new": draw_order,
    "order_updated": draw_order,
    "subscription_new": draw_subscription,
    "subscription_renewed": draw_subscription,
    "subscription_renew_failed": draw_subscription,
    "subscription_cancelled": draw_subscription,
    "shipment_shipped": draw_shipment,
    "transaction_new": lambda rng: transaction(id=rng.randint(400, 499)) | {"order": draw_order(rng)},
    "checkout_failed": lambda rng: {"customer": draw_buyer(rng)[0], "order": draw_order(rng)},
}


def draw_body(rng):
    """(event, body) of some hook of three people: new objects and changed ones, gifts, tests, refunds."""
    event = rng.choice(list(BODIES))
    return event, BODIES[event](rng)


def draw_hooks(rng, at, step):
    bodies = [(*draw_body(rng), at + place) for place in range(rng.randint(1, 4))]
    return lambda recorder: recorder.record(
        *(recorder.hook(event, data, at=when, receipt=f"r{step}-{when}") for event, data, when in bodies)
    )


def draw_page(rng, at, step):
    page = ApiPage("orders", [draw_order(rng)], at, step, sends_profiles=rng.random() < 0.5)
    return in_store(lambda conn, store: record_api_page(conn, store, page, at + 1))


def draw_rules(rng, *_):
    policy, sources = rng.choice(["withhold", "profile_without_address"]), rng.choice([["2"], ["2", "3"]])
    return lambda recorder: recorder.change_store(marketplace_policy=policy, marketplace_sources=sources)


def draw_erasure(rng, *_):
    number = rng.randint(1, 4)
    return in_store(lambda conn, _: empty_rows(conn, number))


def draw_deletion(rng, *_):
    number = rng.randint(1, 9)
    return in_store(lambda conn, _: forget_event(conn, number))


def send_profiles(_rng, at, *_):
    return in_store(lambda conn, store: enqueue_unsent_profiles(conn, store, 10, at))


def judge_anew(_rng, at, *_):
    return in_store(lambda conn, store: rejudge_people(conn, store, at, sends_waiting=True))


ACTS = {
    draw_hooks: 30,
    draw_page: 4,
    send_profiles: 2,
    judge_anew: 2,
    draw_rules: 1,
    draw_erasure: 1,
    draw_deletion: 1,
}


def draw_act(rng, step):
    """What happens next, as a function of a recorder."""
    draw = rng.choices(list(ACTS), list(ACTS.values()))[0]
    return draw(rng, NOW + rng.randint(0, 50) * HOUR, step)


def in_store(act):
    def do(recorder):
        with writing(recorder.engine) as conn:
            act(conn, load_stores_by_name(conn, ["acme"])["acme"])

    return do


def forget_event(conn, number):
    (kind,) = [kind for kind in KINDS if kind.name == "events"]
    of_event = core.Delivery.event_id == number
    conn.execute(update(core.Delivery.__table__).where(of_event).values(status="sent", done_at=NOW))
    kind.delete(conn, [number], NOW)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(), kept=st.sampled_from([1, 2, 4]))
def test_random_histories_leave_the_same_rows_as_without_rollups(make_twins, seed, kept):
    twins, rng = make_twins(kept), random.Random(seed)
    for step in range(25):
        twins.do(draw_act(rng, step))
        twins.assert_same()
