"""Our own heartbeats and canaries are noted and are no events; a stranger's hook of the same name is not ours."""

from __future__ import annotations

import pytest

from pipeline.core.hooks import CANARY, HEARTBEAT
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.canaries import claim_canary, list_newest_canaries, request_canary
from pipeline.ledger.queries import find_last_heartbeat
from pipeline.ledger.queries.chain_status import HeartbeatArrival
from pipeline.ledger.schema import core
from tests.builders import HOUR, NOW, order
from tests.pipeline.recording.test_batch import failure


@pytest.fixture
def sent(recorder):
    """A canary that was sent to the store's URL."""
    with writing(recorder.engine) as conn:
        request_canary(conn, 1, "0a1b", NOW - 9)
        [canary] = list_newest_canaries(conn, 1)
        claim_canary(conn, canary.id, NOW - 5)


def arrived(recorder):
    with reading(recorder.engine) as conn:
        return [canary.arrived_at for canary in list_newest_canaries(conn, 9)]


def test_a_canary_is_noted_and_is_no_event(recorder, sent):
    recorded = recorder.record(recorder.hook(CANARY, {CANARY: "0a1b"}), recorder.hook("order_new", order()))

    assert arrived(recorder) == [NOW + 1]
    assert (recorded.events, recorded.dead, set(recorded.outcomes)) == (1, 0, {("order_new", "forwarded")})
    assert [row.name for row in recorder.rows(core.Event)] == ["order_new"]


def test_a_canary_that_comes_again_is_no_event_either(recorder, sent):
    for _ in range(2):
        recorder.record_one(CANARY, {CANARY: "0a1b"})

    assert (arrived(recorder), recorder.rows(core.Event)) == ([NOW + 1], [])


def test_a_canary_that_failed_leaves_no_trace(recorder, sent):
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
def test_a_strangers_canary_that_failed_is_a_dead_hook(recorder, sent, raw):
    stranger = recorder.hook(CANARY, {})
    recorder.record(failed=[failure(stranger, "poison")], raws={stranger["entry_id"]: (raw, None)})

    assert [row.event for row in recorder.rows(core.DeadHook)] == [CANARY]


@pytest.mark.parametrize(
    "body", [{CANARY: "aguess"}, {CANARY: 1}, {"0a1b": CANARY}, {CANARY: "\ud800"}, {CANARY: "\0"}, {}]
)
def test_a_strangers_event_called_canary_proves_nothing(recorder, sent, body):
    recorder.record_one(CANARY, body)

    assert arrived(recorder) == [None]
    assert [(row.name, row.outcome) for row in recorder.rows(core.Event)] == [(CANARY, "unknown_event")]


def beat(recorder, at=NOW):
    return recorder.hook(HEARTBEAT, {"sent_at": at}, at=at, store="", version=0, source=HEARTBEAT)


def arrival(recorder):
    with reading(recorder.engine) as conn:
        return find_last_heartbeat(conn)


def test_no_heartbeat_has_arrived_at_first(recorder):
    assert arrival(recorder) is None


def test_a_heartbeat_is_noted_with_its_times(recorder):
    recorder.record(beat(recorder, NOW - 5))

    assert arrival(recorder) == HeartbeatArrival(NOW - 5, NOW + 1)


def test_the_next_heartbeat_takes_its_place(recorder):
    recorder.record(beat(recorder, NOW - HOUR))
    recorder.record(beat(recorder, NOW - 2), beat(recorder, NOW - 1))

    assert arrival(recorder) == HeartbeatArrival(NOW - 1, NOW + 1)


def test_a_heartbeat_is_neither_an_event_nor_a_dead_hook(recorder):
    recorded = recorder.record(beat(recorder), recorder.hook("order_new", order()))

    assert (recorded.events, recorded.dead, set(recorded.outcomes)) == (1, 0, {("order_new", "forwarded")})
    assert [row.name for row in recorder.rows(core.Event)] == ["order_new"]


def test_a_heartbeat_that_failed_leaves_no_trace(recorder):
    recorded = recorder.record(failed=[failure(beat(recorder), "poison")])

    assert (recorded.dead, recorded.dead_by_reason) == (0, {})
    assert (arrival(recorder), list(recorder.rows(core.DeadHook))) == (None, [])


@pytest.mark.parametrize("source", ["hook", "replay"])
def test_a_strangers_event_called_heartbeat_proves_nothing(recorder, source):
    recorder.record(recorder.hook(HEARTBEAT, {"sent_at": 1}, source=source))

    assert arrival(recorder) is None
