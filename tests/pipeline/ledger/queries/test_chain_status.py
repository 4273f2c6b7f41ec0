"""When the chain counts as alive."""

from __future__ import annotations

import pytest

from pipeline.ledger.queries.chain_status import MAX_MISSED_HEARTBEATS, HeartbeatArrival, assess_chain

SECOND = 1_000_000
NOW = 1_772_470_000 * SECOND
EVERY = 10.0
LONG_AGO = NOW - round((MAX_MISSED_HEARTBEATS * EVERY + 1) * SECOND)
JUST_NOW = NOW - SECOND


@pytest.mark.parametrize(
    ("arrived_at", "since", "alive"),
    [
        (JUST_NOW, None, True),
        (JUST_NOW, LONG_AGO, True),
        (LONG_AGO, LONG_AGO, False),
        (LONG_AGO, JUST_NOW, True),  # web has only just been started
        (LONG_AGO, None, False),  # no heartbeats are sent
        (None, JUST_NOW, True),
        (None, LONG_AGO, False),
        (None, None, False),
    ],
)
def test_the_chain_is_alive_while_heartbeats_arrive_or_may_be_under_way(arrived_at, since, alive):
    arrival = None if arrived_at is None else HeartbeatArrival(arrived_at - SECOND, arrived_at)

    assert assess_chain(arrival, since, NOW, EVERY).alive is alive


def test_the_status_has_the_age_and_duration_of_the_last_heartbeat():
    chain = assess_chain(HeartbeatArrival(NOW - 4 * SECOND, NOW - 3 * SECOND), None, NOW, EVERY)

    assert (chain.last_heartbeat_seconds, chain.heartbeat_took_seconds) == (3.0, 1.0)


def test_without_heartbeats_the_status_is_unknown():
    assert assess_chain(None, None, NOW, 0.0).alive is None
