"""Canaries that come as hooks are noted, and are nothing else; what only calls itself so is a stranger's."""

from __future__ import annotations

import pytest

from pipeline.core.hooks import CANARY
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.canaries import claim_canary, list_newest_canaries, request_canary
from pipeline.ledger.schema import core
from tests.builders import NOW, order
from tests.pipeline.recording.test_batch import failure


@pytest.fixture
def sent(recorder):
    """One that was sent to the store's address."""
    with writing(recorder.engine) as conn:
        request_canary(conn, 1, "0a1b", NOW - 9)
        [one] = list_newest_canaries(conn, 1)
        claim_canary(conn, one.id, NOW - 5)


def arrived(recorder):
    with reading(recorder.engine) as conn:
        return [one.arrived_at for one in list_newest_canaries(conn, 9)]


def test_one_that_comes_is_noted_and_is_no_event(recorder, sent):
    recorded = recorder.record(recorder.hook(CANARY, {CANARY: "0a1b"}), recorder.hook("order_new", order()))

    assert arrived(recorder) == [NOW + 1]
    assert (recorded.events, recorded.dead, set(recorded.outcomes)) == (1, 0, {("order_new", "forwarded")})
    assert [row.name for row in recorder.rows(core.Event)] == ["order_new"]


def test_one_that_comes_again_is_no_event_either(recorder, sent):
    for _ in range(2):
        recorder.record_one(CANARY, {CANARY: "0a1b"})

    assert (arrived(recorder), recorder.rows(core.Event)) == ([NOW + 1], [])


def test_one_that_failed_leaves_no_trace(recorder, sent):
    canary = recorder.hook(CANARY, {})
    raws = {canary["entry_id"]: (b'{"canary": "0a1b"}', None)}
    recorded = recorder.record(failed=[failure(canary, "poison")], raws=raws)

    assert (recorded.dead, arrived(recorder), recorder.rows(core.DeadHook)) == (0, [None], [])


@pytest.mark.parametrize(
    "raw",
    [
        b'{"canary": "aguess"}',
        b'{"canary": 1}',
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"canary": "\\u0000"}',
        b'{"canary": "\\ud800"}',
    ],
)
def test_a_strangers_that_failed_is_a_dead_hook(recorder, sent, raw):
    stranger = recorder.hook(CANARY, {})
    recorder.record(failed=[failure(stranger, "poison")], raws={stranger["entry_id"]: (raw, None)})

    assert [row.event for row in recorder.rows(core.DeadHook)] == [CANARY]


@pytest.mark.parametrize(
    "body", [{CANARY: "aguess"}, {CANARY: 1}, {"0a1b": CANARY}, {CANARY: "\ud800"}, {CANARY: "\0"}, {}]
)
def test_a_stranger_who_calls_an_event_so_proves_nothing(recorder, sent, body):
    recorder.record_one(CANARY, body)

    assert arrived(recorder) == [None]
    assert [(row.name, row.outcome) for row in recorder.rows(core.Event)] == [(CANARY, "unknown_event")]
