"""A hook that is too costly dies at its first try, and a store that has used up its share waits, in its order."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from pipeline.core.errors import BadHook
from pipeline.ledger.schema import core
from pipeline.processing import decode as decoding
from pipeline.processing import validate
from pipeline.processing.cpu_budget import MAX_HOOK_CPU_S, MAX_STORE_CPU_S, TOO_COSTLY, CpuBudget, CpuLimitExceeded
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record_valid_hooks
from pipeline.processing.validate import validate_batch
from pipeline.recording import candidate
from tests.builders import order
from tests.pipeline.processing.entries import clock, entry
from tests.pipeline.recording.conftest import HookRecorder

CHEAP, DEAR = 0.1, MAX_STORE_CPU_S + 0.1


class Spending:
    """Processor time that passes only when it is spent."""

    now = 5.0

    def __call__(self):
        return self.now


@pytest.fixture
def spending():
    return Spending()


@pytest.fixture
def costs(spending):
    return CpuBudget(share_s=MAX_STORE_CPU_S, clock=spending)


@pytest.fixture
def priced(monkeypatch, spending):
    """The readers take as long as the body says."""
    real_decode, real_load = decoding.decode, validate._load

    def decode(raw, query):
        found = real_decode(raw, query)
        spending.now += found.body.get("decoding", 0)
        return found

    def load(hook, now):
        spending.now += hook["body"].get("loading", 0)
        return real_load(hook, now)

    monkeypatch.setattr(decoding, "decode", decode)
    monkeypatch.setattr(validate, "_load", load)


def receipts(hooks):
    return [one["receipt"] for one in hooks]


def test_what_costs_more_than_a_hook_may_is_too_costly(costs, spending):
    with pytest.raises(BadHook) as refused, costs.charge("acme"):
        spending.now += MAX_HOOK_CPU_S + 0.5

    assert (refused.value.reason, refused.value.detail) == (TOO_COSTLY, {"cpu_s": 2.5, "limit_s": 2.0})


def test_what_is_struck_is_too_costly():
    @contextmanager
    def struck(_seconds):
        yield
        raise CpuLimitExceeded

    with pytest.raises(BadHook, match=TOO_COSTLY), CpuBudget(struck).charge("acme"):
        pass


def test_what_fails_within_its_budget_fails_for_its_own_reason(costs):
    with pytest.raises(BadHook, match="not_json"), costs.charge("acme"):
        raise BadHook("not_json")


def test_a_hook_that_is_too_costly_to_decode_dies_alone(priced, costs):
    found = decode_batch([entry({"decoding": 3}, 1), entry(number=2, store="other")], 7, clock, cpu_budget=costs)

    assert [(one["receipt"], one["stage"], one["reason"]) for one in found["failed"]] == [("r1", "decode", TOO_COSTLY)]
    assert receipts(found["hooks"]) == ["r2"]


def test_a_hook_that_is_too_costly_to_validate_dies_alone(priced, costs):
    batch = decode_batch([entry({"loading": 3}, 1), entry(number=2, store="other")], 7, clock)
    found = validate_batch(batch, clock, costs)

    assert [(one["receipt"], one["stage"], one["reason"]) for one in found["failed"]] == [
        ("r1", "validate", TOO_COSTLY)
    ]
    assert receipts(found["hooks"]) == ["r2"]


@pytest.mark.parametrize("link", ["decoding", "loading"])
def test_a_store_that_has_used_up_its_share_is_left_and_others_are_not(priced, spending, link):
    of_decode, of_validate = (CpuBudget(share_s=MAX_STORE_CPU_S, clock=spending) for _ in range(2))
    bodies = [{link: CHEAP}, {link: DEAR}, {link: 0}, {}]
    entries = [entry(body, number) for number, body in enumerate(bodies, 1)]
    batch = decode_batch([*entries, entry(number=5, store="other")], 7, clock, cpu_budget=of_decode)
    found = validate_batch(batch, clock, of_validate)

    assert receipts(found["hooks"]) == ["r1", "r2", "r5"]
    assert {**of_decode.deferred, **of_validate.deferred} == {"acme": ["3-0", "4-0"]}
    assert found["failed"] == []


def test_nothing_is_left_where_no_share_is_given(priced, spending):
    entries = [entry({"decoding": DEAR}, number) for number in range(1, 4)]

    assert len(decode_batch(entries, 7, clock, cpu_budget=CpuBudget(clock=spending))["hooks"]) == 3


def test_a_hook_that_is_too_costly_to_plan_dies_alone_and_the_others_are_recorded(engine, spending, monkeypatch):
    real, recorder = candidate.build_candidate, HookRecorder(engine)
    hooks = [recorder.hook("order_new", order(id=number)) for number in (1, 2, 3)]

    def story_of(hook, store):
        spending.now += 3 if hook is hooks[1] else 0
        return real(hook, store)

    monkeypatch.setattr(candidate, "build_candidate", story_of)
    batch = {"token": 1, "hooks": hooks, "failed": []}
    recorded, ours = record_valid_hooks(engine, batch, {}, clock, CpuBudget(clock=spending))

    assert (sum(one.events for one in recorded), ours) == (2, [])
    assert [(row.stage, row.reason) for row in recorder.rows(core.DeadHook)] == [("fan_out", TOO_COSTLY)]
