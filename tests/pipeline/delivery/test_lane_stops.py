from __future__ import annotations

from collections.abc import Sequence

import pytest
import redis
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import ProgrammingError

from pipeline.core.errors import Misconfigured
from pipeline.core.messages import ConnectionBroken, Message, Reply, Sent
from pipeline.delivery.open_connection import LaneReport
from pipeline.ledger.deliveries import acquire_lane, pause_connection, resume_connection
from pipeline.ledger.engine import writing
from tests.pipeline.delivery.fake_destination import always, reply
from tests.pipeline.delivery.lane_setup import LANE, LaneSetup, unreachable_redis


@pytest.mark.on_both_databases
def test_a_broken_connection_is_paused_with_its_reason_and_keeps_everything(lane_setup: LaneSetup):
    lane_setup.add(6)
    broken = ConnectionBroken("the credentials were refused (401)")
    lane_setup.destination.next.append(lambda _: reply([Sent(), broken, broken, broken], 401))

    assert lane_setup.run() == LaneReport("paused", sent=1, calls=1)
    assert lane_setup.connection_row() == ("paused", broken.reason)
    assert lane_setup.statuses() == ["sent", *["pending"] * 5]
    assert lane_setup.run() == LaneReport("empty")


def test_a_resumed_connection_goes_on_where_it_stopped(lane_setup: LaneSetup):
    ids = lane_setup.add(2)
    lane_setup.destination.next.append(always(ConnectionBroken("refused"), 401))
    lane_setup.run()
    with writing(lane_setup.engine) as conn:
        resume_connection(conn, lane_setup.connection.id, lane_setup.now)

    assert lane_setup.run().sent == 2
    assert lane_setup.destination.sent_ids == [ids, ids]


@pytest.mark.on_both_databases
def test_a_connection_paused_between_two_batches_stops_there(lane_setup: LaneSetup):
    lane_setup.add(5)

    def pausing(messages: Sequence[Message]) -> Reply:
        with writing(lane_setup.engine) as conn:
            pause_connection(conn, lane_setup.connection.id, "by hand", lane_setup.now)
        return always(Sent())(messages)

    lane_setup.destination.next.append(pausing)

    assert lane_setup.run() == LaneReport("empty", sent=4, calls=1)


def test_a_connection_paused_while_the_budget_was_asked_sends_nothing(lane_setup: LaneSetup):
    lane_setup.add()

    def acquire(cost: int = 1) -> float:
        with writing(lane_setup.engine) as conn:
            pause_connection(conn, lane_setup.connection.id, "by hand", lane_setup.now)
        return 0.0

    lane_setup.budget.acquire = acquire  # type: ignore[method-assign]

    assert lane_setup.run() == LaneReport("empty")
    assert lane_setup.destination.sends == []


@pytest.mark.on_both_databases
def test_a_lease_lost_to_an_emptied_redis_ends_the_run(lane_setup: LaneSetup):
    lane_setup.add(5)

    def emptied(messages: Sequence[Message]) -> Reply:
        lane_setup.redis.flushall()
        return always(Sent())(messages)

    lane_setup.destination.next.append(emptied)

    assert lane_setup.run() == LaneReport("lost", sent=4, calls=1)
    assert lane_setup.statuses() == [*["sent"] * 4, "pending"]


def test_a_fenced_off_holder_writes_nothing(lane_setup: LaneSetup):
    lane_setup.add()

    def outrun(messages: Sequence[Message]) -> Reply:
        with writing(lane_setup.engine) as conn:
            acquire_lane(conn, lane_setup.connection.id, LANE, lane_setup.now)
        return always(Sent())(messages)

    lane_setup.destination.next.append(outrun)

    assert lane_setup.run().stopped == "lost"
    assert lane_setup.statuses() == ["pending"]


def test_what_a_killed_holder_had_begun_is_sent_again(lane_setup: LaneSetup):
    ids = lane_setup.add(2)

    def killed(_: Sequence[Message]) -> Reply:
        raise KeyboardInterrupt

    lane_setup.destination.next.append(killed)
    with pytest.raises(KeyboardInterrupt):
        lane_setup.run()

    assert lane_setup.run().sent == 2
    assert lane_setup.destination.sent_ids == [ids, ids]


def test_an_internal_error_is_raised_and_the_lane_is_postponed(lane_setup: LaneSetup):
    lane_setup.add()

    def faulty(_: Sequence[Message]) -> Reply:
        raise ZeroDivisionError

    lane_setup.destination.next.append(faulty)

    with pytest.raises(ZeroDivisionError):
        lane_setup.run()

    attempts, next_attempt_at, reason = lane_setup.lane_row()
    assert (attempts, reason) == (1, "our own fault: ZeroDivisionError")
    assert next_attempt_at >= lane_setup.now
    assert not lane_setup.redis.exists(lane_setup.lease_key)


def test_a_connection_that_cannot_be_opened_postpones_the_lane(lane_setup: LaneSetup):
    lane_setup.add()

    def gone(_: int) -> None:
        raise Misconfigured("gone")

    lane_setup._open = gone  # type: ignore[method-assign,assignment]

    with pytest.raises(Misconfigured):
        lane_setup.run()
    assert lane_setup.lane_row().reason == "gone"


def test_database_trouble_is_not_recorded_as_an_error_of_the_lane(lane_setup: LaneSetup):
    ids = lane_setup.add()

    def without_a_right(_: int) -> None:
        raise ProgrammingError("SELECT", {}, InsufficientPrivilege("permission denied"))

    opens, lane_setup._open = lane_setup._open, without_a_right  # type: ignore[method-assign,assignment]
    with pytest.raises(ProgrammingError):
        lane_setup.run()
    lane_setup._open = opens  # type: ignore[method-assign]

    assert lane_setup.run().sent == 1
    assert lane_setup.destination.sent_ids == [ids]


def test_without_redis_nothing_is_claimed(lane_setup: LaneSetup):
    lane_setup.add()
    lane_setup.redis = unreachable_redis()

    with pytest.raises(redis.ConnectionError):
        lane_setup.run()
    assert lane_setup.statuses() == ["pending"]
