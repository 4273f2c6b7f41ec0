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


def beat(teller, at=NOW):
    return teller.hook(HEARTBEAT, {"sent_at": at}, at=at, store="", version=0, source=HEARTBEAT)


def arrival(teller):
    with reading(teller.engine) as db:
        return find_last_heartbeat(db)


def test_nothing_has_arrived_at_first(teller):
    assert arrival(teller) is None


def test_a_heartbeat_is_noted_with_its_times(teller):
    teller.tell(beat(teller, NOW - 5))

    assert arrival(teller) == HeartbeatArrival(NOW - 5, NOW + 1)


def test_the_next_one_takes_its_place(teller):
    teller.tell(beat(teller, NOW - HOUR))
    teller.tell(beat(teller, NOW - 2), beat(teller, NOW - 1))

    assert arrival(teller) == HeartbeatArrival(NOW - 1, NOW + 1)


def test_it_is_neither_an_event_nor_a_dead_hook(teller):
    recorded = teller.tell(beat(teller), teller.hook("order_new", order()))

    assert (recorded.events, recorded.dead, set(recorded.outcomes)) == (1, 0, {("order_new", "forwarded")})
    assert [row.name for row in teller.rows(core.Event)] == ["order_new"]


def test_one_that_failed_leaves_no_trace(teller):
    recorded = teller.tell(failed=[failure(beat(teller), "poison")])

    assert (recorded.dead, recorded.dead_by_reason) == (0, {})
    assert (arrival(teller), list(teller.rows(core.DeadHook))) == (None, [])


@pytest.mark.parametrize("source", ["hook", "replay"])
def test_a_stranger_who_calls_an_event_so_proves_nothing(teller, source):
    teller.tell(teller.hook(HEARTBEAT, {"sent_at": 1}, source=source))

    assert arrival(teller) is None
