"""Our own heartbeats are noted and are nothing else."""

from __future__ import annotations

import pytest

from pipeline.core.hooks import HEARTBEAT
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import find_last_heartbeat
from pipeline.ledger.queries.chain_status import HeartbeatArrival
from pipeline.ledger.schema import core
from tests.builders import HOUR, NOW, order
from tests.pipeline.recording.test_batch import failure


def beat(recorder, at=NOW):
    return recorder.hook(HEARTBEAT, {"sent_at": at}, at=at, store="", version=0, source=HEARTBEAT)


def arrival(recorder):
    with reading(recorder.engine) as conn:
        return find_last_heartbeat(conn)


def test_nothing_has_arrived_at_first(recorder):
    assert arrival(recorder) is None


def test_a_heartbeat_is_noted_with_its_times(recorder):
    recorder.record(beat(recorder, NOW - 5))

    assert arrival(recorder) == HeartbeatArrival(NOW - 5, NOW + 1)


def test_the_next_one_takes_its_place(recorder):
    recorder.record(beat(recorder, NOW - HOUR))
    recorder.record(beat(recorder, NOW - 2), beat(recorder, NOW - 1))

    assert arrival(recorder) == HeartbeatArrival(NOW - 1, NOW + 1)


def test_it_is_neither_an_event_nor_a_dead_hook(recorder):
    recorded = recorder.record(beat(recorder), recorder.hook("order_new", order()))

    assert (recorded.events, recorded.dead, set(recorded.outcomes)) == (1, 0, {("order_new", "forwarded")})
    assert [row.name for row in recorder.rows(core.Event)] == ["order_new"]


def test_one_that_failed_leaves_no_trace(recorder):
    recorded = recorder.record(failed=[failure(beat(recorder), "poison")])

    assert (recorded.dead, recorded.dead_by_reason) == (0, {})
    assert (arrival(recorder), list(recorder.rows(core.DeadHook))) == (None, [])


@pytest.mark.parametrize("source", ["hook", "replay"])
def test_a_stranger_who_calls_an_event_so_proves_nothing(recorder, source):
    recorder.record(recorder.hook(HEARTBEAT, {"sent_at": 1}, source=source))

    assert arrival(recorder) is None
