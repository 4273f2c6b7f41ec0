"""Several lanes share a message, and none waits for another."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import update

from pipeline.core.errors import Misconfigured
from pipeline.infra import redis_keys
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from tasks import deliveries
from tasks.worker import background_calls
from tests.contracts.fake_track import CannedAnswer
from tests.installation import order_hook
from tests.tasks.inline_worker import take_all_messages
from tests.tasks.test_deliveries import record
from tests.waiting import wait_until

LANES = "deliveries.run_lanes"


@pytest.fixture
def two(installed, track):
    """Two connections with fast lanes, each with a pending order."""
    found = [installed.connect(track.config, store=store) for store in ("acme", "bolt")]
    record(installed, *(order_hook(1, store=store) for store in ("acme", "bolt")))
    trust(installed, found)
    return [(connection, 0) for connection in found]


@pytest.fixture
def answer(track, two, monkeypatch):
    """Both have run, and one waits for its platform until this is set."""
    monkeypatch.setattr(background_calls, "CALL_TIMEOUT_S", 0.01)
    answer = threading.Event()
    track.next.append(CannedAnswer(once=answer))
    deliveries.run_lanes_task(two)
    yield answer
    answer.set()
    background_calls.background_calls.wait_until_done()


def trust(installed, connections):
    installed.process.redis.sadd(redis_keys.FAST_LANES, *(f"{connection}:0" for connection in connections))


def done(installed):
    """Return the connections without open deliveries."""
    rows = installed.rows(core.Delivery)
    return {row.connection_id for row in rows} - {row.connection_id for row in rows if row.done_at is None}


def started():
    return [(message.task, message.args) for message in take_all_messages("deliveries")]


def many(installed, track, count):
    """So many stores with a connection each, each with a pending order."""
    stores = [f"store-{number}" for number in range(count)]
    found = [installed.connect(track.config, store=store) for store in stores]
    record(installed, *(order_hook(1, store=store) for store in stores))
    trust(installed, found)
    return found


def test_few_lanes_share_one_message(installed, track):
    connections = many(installed, track, 5)

    deliveries.sweep()

    assert started() == [(LANES, [[[connection, 0] for connection in connections]])]


def test_many_lanes_are_divided_among_the_processes(installed, track, monkeypatch):
    monkeypatch.setattr(deliveries, "MIN_LANES_PER_MESSAGE", 1)  # there are four processes
    connections = many(installed, track, 12)

    deliveries.sweep()

    assert started() == [
        (LANES, [[[connection, 0] for connection in connections[place : place + 3]]]) for place in (0, 3, 6, 9)
    ]


def test_lanes_that_share_a_message_all_deliver(installed, track):
    connections = many(installed, track, 8)

    deliveries.forward(connections)

    assert (done(installed), started()) == (set(connections), [])


def test_the_number_of_lanes_in_a_message_is_limited(installed, track, monkeypatch):
    monkeypatch.setattr(deliveries, "MAX_LANES_PER_MESSAGE", 2)
    many(installed, track, 12)

    deliveries.sweep()

    assert [len(args[0]) for _, args in started()] == [2] * 6


def test_slow_lanes_share_no_message(installed, track):
    many(installed, track, 12)
    installed.process.redis.delete(redis_keys.FAST_LANES)

    deliveries.sweep()

    assert {task for task, _ in started()} == {"deliveries.run_lane"}


def test_a_lane_that_became_slow_meanwhile_gets_a_task_of_its_own(installed, two):
    first, second = two
    installed.process.redis.srem(redis_keys.FAST_LANES, f"{first[0]}:0")

    deliveries.run_lanes_task(two)

    assert (started(), done(installed)) == ([("deliveries.run_lane", list(first))], {second[0]})


def test_a_lane_that_hangs_delays_no_other_lane_of_its_message(installed, answer):
    wait_until(lambda: done(installed))

    assert (len(done(installed)), answer.is_set()) == (1, False)


def test_a_lane_that_hung_settles_when_it_is_answered(installed, two, answer):
    wait_until(lambda: done(installed))

    answer.set()
    background_calls.background_calls.wait_until_done()

    assert done(installed) == {connection for connection, _ in two}
    assert not any(installed.process.redis.exists(redis_keys.lane_lease(*lane)) for lane in two)


def test_where_no_call_can_be_detached_each_lane_gets_its_own_task(installed, two, monkeypatch):
    monkeypatch.setattr(deliveries, "background_calls", background_calls.BackgroundCalls(max_calls=0))

    deliveries.run_lanes_task(two)

    assert started() == [("deliveries.run_lane", [connection, lane]) for connection, lane in two]


def test_a_lane_that_fails_stops_no_other_lane_of_its_message(installed, track, two):
    failing, other = two
    with writing(installed.process.engine) as conn:
        unreadable = update(core.StoreConnection).where(core.StoreConnection.id == failing[0])
        conn.execute(unreadable.values(config=encrypt(["sealed-with-another-key"], track.config)))

    with pytest.raises(Misconfigured):
        deliveries.run_lanes_task(two)

    assert (started(), done(installed)) == ([], {other[0]})


def test_a_lane_with_much_to_do_gets_its_own_task(two, monkeypatch):
    monkeypatch.setattr(deliveries, "MAX_SHARED_RUN_S", 0)

    deliveries.run_lanes_task(two)

    assert started() == [("deliveries.run_lane", list(lane_id)) for lane_id in two]


def test_a_message_of_many_lanes_shows_its_lanes_and_nothing_else(installed, track):
    first, second = many(installed, track, 2)
    deliveries.sweep()

    assert take_all_messages("deliveries")[0].headers["argsrepr"] == f"([({first}, 0), ({second}, 0)])"
