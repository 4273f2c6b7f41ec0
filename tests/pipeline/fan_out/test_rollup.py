"""Attributes and verdicts from a few loaded facts and a rollup are those of all facts, in whatever order hooks come."""

from __future__ import annotations

import copy
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.events.catalogue import get_event_row
from pipeline.events.identity import identify_event
from pipeline.fan_out import rollup as rollups
from pipeline.fan_out.attributes import build_attributes
from pipeline.fan_out.consent import ConsentRules, collect_evidence, judge
from pipeline.fan_out.facts import Fact, merge_fact, newest_time_us
from pipeline.fan_out.plan import plan_event
from pipeline.fan_out.rest import NO_REST
from pipeline.fan_out.rollup import leave_out, list_needed, load_rollup, roll_up
from tests.builders import HOUR, NOW, RECIPIENT
from tests.pipeline.fan_out.test_profiles import GIVEN, HISTORY

FORWARD_ALL = ConsentRules("forward")
RULES = (
    FORWARD_ALL,
    ConsentRules(marketplace_sources=frozenset({"2"}), storefront_sources=frozenset({"1"})),
    ConsentRules(marketplace_sources=frozenset({"2"})),
    ConsentRules(marketplace_sources=frozenset({"2"}), gift_recipients="withhold"),
    ConsentRules("profile_without_address", marketplace_sources=frozenset({"2"}), met_sources=frozenset({"3"})),
)


class KeptPerson:
    """A person whose facts are stored, and loaded as far as each hook needs them."""

    def __init__(self, rules=RULES):
        self.rules = rules
        self.stored = {}
        self.rollup = None
        self.full_loads = 0
        self.loaded = []

    def learn(self, facts, at):
        touched = {(fact.kind, fact.subject) for fact in facts}
        known, rest = self._load(touched)
        self.loaded.append(len(known))
        for fact in facts:
            merge_fact(known, fact, at)
        self.check(known, rest)
        self.stored.update(copy.deepcopy(known))
        self.rollup = json.loads(json.dumps(roll_up(known, rest).dump()))
        for rules in self.rules:
            self.check(*self._load(set()), rules)

    def check(self, known, rest, rules=FORWARD_ALL):
        everything = {**self.stored, **known}
        assert build_attributes(known, "acme", "USD", rules, rest) == build_attributes(everything, "acme", "USD", rules)
        assert max(newest_time_us(known), rest.newest) == newest_time_us(everything)
        for is_customer in (True, False):
            one, other = (
                judge(evidence, rules, is_customer=is_customer)
                for evidence in (collect_evidence(known, rest), collect_evidence(everything))
            )
            assert one == other

    def _load(self, touched):
        everything = copy.deepcopy(self.stored)
        if self.rollup is None:
            return everything, NO_REST
        found = load_rollup(self.rollup)
        known = {key: everything[key] for key in list_needed(found, touched) if key in everything}
        rest = leave_out(found, known, touched)
        if rest is None:
            self.full_loads += 1
            return everything, NO_REST
        return known, rest


@pytest.fixture(params=[1, 4])
def kept_of_each(request, monkeypatch):
    monkeypatch.setattr(rollups, "_KEPT_OF_EACH_RANKING", request.param)
    monkeypatch.setattr(rollups, "_KEPT", {})


@pytest.fixture
def few_are_kept(monkeypatch):
    monkeypatch.setattr(rollups, "_KEPT_OF_EACH_RANKING", 1)
    monkeypatch.setattr(rollups, "_KEPT", {})


def read_facts(name, data, at, role="customer"):
    row = get_event_row(name)
    found = plan_event(row, data, identify_event(row, data, f"{at:064d}", at), GIVEN, "acme", "USD")
    return [fact for person in found.people if person.role == role for fact in person.facts]


@pytest.mark.usefixtures("few_are_kept")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers())
def test_any_order_of_processing_gives_the_same_profile(seed):
    hooks = [(name, data, NOW + hour * HOUR) for hour, (name, data) in enumerate(HISTORY)]
    person = KeptPerson(rules=())
    for name, data, at in random.Random(seed).sample(hooks + hooks[:3], len(hooks) + 3):
        person.learn(read_facts(name, data, at), at)


def draw_fact(rng):
    """A fact as some hook may bring it: a new one, or a change of an old one in any field."""
    day = f"2026-0{rng.randint(1, 9)}-{rng.randint(10, 28)}T0{rng.randint(0, 9)}:00:00Z"
    source = {} if rng.random() < 0.4 else {"source": rng.choice("123")}
    number = str(rng.randint(1, 14))
    order = {
        "placed_at": day,
        "financial_status": rng.choice(["paid", "paid", "unpaid", "voided", "refunded"]),
        "total": rng.choice([0, 1000, 3495]),
        "refunded_amount": rng.choice([0, 0, 3495]),
        "is_gift": rng.random() < 0.3,
        "is_renewal": rng.random() < 0.3,
        "redeemed": rng.random() < 0.1,
        **source,
    }
    subscription = {
        "status": rng.choice(["active", "renewing", "past_due", "cancelled", "expired", "suspended", "odd"]),
        "start_date": day,
        "end_date": rng.choice([day, "2027-01-01T00:00:00Z"]),
        "autorenew": rng.random() < 0.7,
        "cancelled_at": rng.choice([None, day]),
        "plan": rng.choice(["Month to Month", "Prepaid"]),
        "term_months": rng.choice([1, 3]),
        "is_gift": rng.random() < 0.3,
        f"renewed:{day}": True,
        f"failed:{day}": True,
        **source,
    }
    shipment = {
        "status": rng.choice(["shipped", "shipped", "unshipped"]),
        "shipped_at": rng.choice([None, day]),
        "tracking_number": rng.choice([None, "94001"]),
        "tracking_url": f"https://example.com/{number}",
    }
    gift = {"giver_first_name": rng.choice(["", "Ann", "Zoe"]), "name": rng.choice(["", "Rory R"]), **source}
    of = rng.choice(["order", "subscription", "shipment", "gift"])
    fact = rng.choice(
        [
            Fact("order", number, order),
            Fact("order", number, order),
            Fact("subscription", number, subscription),
            Fact("shipment", number, shipment),
            Fact("gift_received", f"{of}:{number}", gift),
            Fact("survey", number, {"size": rng.choice("SML"), "listed:1": "lookup"}),
            Fact("customer", "", {"num_orders": rng.randint(0, 9), "email": RECIPIENT, "real": True}),
            Fact("payment", "", {"failed": rng.random() < 0.5, "failed_at": day}),
            Fact("checkout", "", source),
        ]
    )
    some = [name for name in fact.fields if fact.fields[name] is not None and rng.random() < 0.8]
    return Fact(fact.kind, fact.subject, {name: fact.fields[name] for name in some})


@pytest.mark.usefixtures("kept_of_each")
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers())
def test_random_histories_give_what_all_facts_give(seed):
    rng = random.Random(seed)
    person = KeptPerson()
    for _ in range(20):
        at = NOW + rng.randint(0, 40) * HOUR  # often older than what is known
        person.learn([draw_fact(rng) for _ in range(rng.randint(1, 3))], at)


def test_an_order_more_reads_no_more_facts():
    person = KeptPerson(rules=())
    for number in range(200):
        placed = (
            f"2026-{1 + number // 28:02}-{1 + number % 28:02}T00:00:00Z" if number < 150 else "2027-01-01T00:00:00Z"
        )
        facts = [
            Fact("order", str(number), {"placed_at": placed, "total": 5}),
            Fact("shipment", str(number), {"status": "shipped", "shipped_at": placed}),
        ]
        for fact in facts:
            person.learn([Fact("customer", "", {"real": True}), fact], NOW + number)

    assert person.full_loads <= 1
    assert max(person.loaded) < 20


@pytest.mark.usefixtures("few_are_kept")
def test_an_extreme_that_is_lost_makes_all_facts_be_read():
    person = KeptPerson()
    for number in (1, 2, 3):
        person.learn([Fact("order", str(number), {"placed_at": f"2026-03-0{number}T00:00:00Z"})], NOW)
    assert person.full_loads == 0
    person.learn([Fact("order", "3", {"financial_status": "voided"})], NOW + 1)

    assert person.full_loads > 0


def test_what_is_no_whole_number_is_not_summed():
    person = KeptPerson()
    for number in range(40):
        order = {"placed_at": "2026-03-01T00:00:00Z", "total": 0.1}
        person.learn([Fact("order", str(number), order)], NOW + number)

    assert len(load_rollup(person.rollup).kept) == 40
