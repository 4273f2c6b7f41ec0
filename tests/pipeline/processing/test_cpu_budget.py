"""A hook over its CPU budget fails at its first try, and a store over its share waits, in its order."""

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

CHEAP_S, COSTLY_S = 0.1, MAX_STORE_CPU_S + 0.1


class FakeCpuClock:
    """CPU time that passes only when a test spends it."""

    now = 5.0

    def __call__(self):
        return self.now


@pytest.fixture
def cpu_clock():
    return FakeCpuClock()


@pytest.fixture
def cpu_budget(cpu_clock):
    return CpuBudget(share_s=MAX_STORE_CPU_S, clock=cpu_clock)


@pytest.fixture
def priced(monkeypatch, cpu_clock):
    """The readers take as long as the body says."""
    real_decode, real_load = decoding.decode, validate._load

    def decode(raw, query):
        found = real_decode(raw, query)
        cpu_clock.now += found.body.get("decoding", 0)
        return found

    def load(hook, now):
        cpu_clock.now += hook["body"].get("loading", 0)
        return real_load(hook, now)

    monkeypatch.setattr(decoding, "decode", decode)
    monkeypatch.setattr(validate, "_load", load)


def receipts(hooks):
    return [hook["receipt"] for hook in hooks]


def test_a_block_over_the_budget_is_too_costly(cpu_budget, cpu_clock):
    with pytest.raises(BadHook) as refused, cpu_budget.charge("acme"):
        cpu_clock.now += MAX_HOOK_CPU_S + 0.5

    assert (refused.value.reason, refused.value.detail) == (TOO_COSTLY, {"cpu_s": 2.5, "limit_s": 2.0})


def test_an_interrupted_block_is_too_costly():
    @contextmanager
    def interrupt(_seconds):
        yield
        raise CpuLimitExceeded

    with pytest.raises(BadHook, match=TOO_COSTLY), CpuBudget(interrupt).charge("acme"):
        pass


def test_a_block_that_fails_within_its_budget_fails_for_its_own_reason(cpu_budget):
    with pytest.raises(BadHook, match="not_json"), cpu_budget.charge("acme"):
        raise BadHook("not_json")


def test_a_hook_that_is_too_costly_to_decode_fails_alone(priced, cpu_budget):
    found = decode_batch([entry({"decoding": 3}, 1), entry(number=2, store="other")], 7, clock, cpu_budget=cpu_budget)

    assert [(hook["receipt"], hook["stage"], hook["reason"]) for hook in found["failed"]] == [
        ("r1", "decode", TOO_COSTLY)
    ]
    assert receipts(found["hooks"]) == ["r2"]


def test_a_hook_that_is_too_costly_to_validate_fails_alone(priced, cpu_budget):
    batch = decode_batch([entry({"loading": 3}, 1), entry(number=2, store="other")], 7, clock)
    found = validate_batch(batch, clock, cpu_budget)

    assert [(hook["receipt"], hook["stage"], hook["reason"]) for hook in found["failed"]] == [
        ("r1", "validate", TOO_COSTLY)
    ]
    assert receipts(found["hooks"]) == ["r2"]


@pytest.mark.parametrize("link", ["decoding", "loading"])
def test_the_hooks_of_a_store_over_its_share_are_deferred_and_others_are_not(priced, cpu_clock, link):
    of_decode, of_validate = (CpuBudget(share_s=MAX_STORE_CPU_S, clock=cpu_clock) for _ in range(2))
    bodies = [{link: CHEAP_S}, {link: COSTLY_S}, {link: 0}, {}]
    entries = [entry(body, number) for number, body in enumerate(bodies, 1)]
    batch = decode_batch([*entries, entry(number=5, store="other")], 7, clock, cpu_budget=of_decode)
    found = validate_batch(batch, clock, of_validate)

    assert receipts(found["hooks"]) == ["r1", "r2", "r5"]
    assert {**of_decode.deferred, **of_validate.deferred} == {"acme": ["3-0", "4-0"]}
    assert found["failed"] == []


def test_without_a_share_no_hook_is_deferred(priced, cpu_clock):
    entries = [entry({"decoding": COSTLY_S}, number) for number in range(1, 4)]

    assert len(decode_batch(entries, 7, clock, cpu_budget=CpuBudget(clock=cpu_clock))["hooks"]) == 3


def test_a_hook_that_is_too_costly_to_plan_fails_alone_and_the_others_are_recorded(engine, cpu_clock, monkeypatch):
    real, recorder = candidate.build_candidate, HookRecorder(engine)
    hooks = [recorder.hook("order_new", order(id=number)) for number in (1, 2, 3)]

    def build_candidate(hook, store):
        cpu_clock.now += 3 if hook is hooks[1] else 0
        return real(hook, store)

    monkeypatch.setattr(candidate, "build_candidate", build_candidate)
    batch = {"token": 1, "hooks": hooks, "failed": []}
    recorded, failures = record_valid_hooks(engine, batch, {}, clock, CpuBudget(clock=cpu_clock))

    assert (sum(result.events for result in recorded), failures) == (2, [])
    assert [(row.stage, row.reason) for row in recorder.rows(core.DeadHook)] == [("fan_out", TOO_COSTLY)]
