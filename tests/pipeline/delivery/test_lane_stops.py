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


def test_a_broken_connection_is_paused_with_its_reason_and_keeps_everything(bench: LaneSetup):
    bench.add(6)
    broken = ConnectionBroken("the credentials were refused (401)")
    bench.destination.next.append(lambda _: reply([Sent(), broken, broken, broken], 401))

    assert bench.run() == LaneReport("paused", sent=1, calls=1)
    assert bench.connection_row() == ("paused", broken.reason)
    assert bench.statuses() == ["sent", *["pending"] * 5]
    assert bench.run() == LaneReport("empty")


def test_a_resumed_connection_goes_on_where_it_stopped(bench: LaneSetup):
    ids = bench.add(2)
    bench.destination.next.append(always(ConnectionBroken("refused"), 401))
    bench.run()
    with writing(bench.engine) as conn:
        resume_connection(conn, bench.link.id, bench.now)

    assert bench.run().sent == 2
    assert bench.destination.sent_ids == [ids, ids]


def test_a_connection_paused_between_two_batches_stops_there(bench: LaneSetup):
    bench.add(5)

    def pausing(messages: Sequence[Message]) -> Reply:
        with writing(bench.engine) as conn:
            pause_connection(conn, bench.link.id, "by hand", bench.now)
        return always(Sent())(messages)

    bench.destination.next.append(pausing)

    assert bench.run() == LaneReport("empty", sent=4, calls=1)


def test_a_connection_paused_while_the_budget_was_asked_sends_nothing(bench: LaneSetup):
    bench.add()

    def acquire(cost: int = 1) -> float:
        with writing(bench.engine) as conn:
            pause_connection(conn, bench.link.id, "by hand", bench.now)
        return 0.0

    bench.budget.acquire = acquire  # type: ignore[method-assign]

    assert bench.run() == LaneReport("empty")
    assert bench.destination.sends == []


def test_a_lease_lost_to_an_emptied_redis_ends_the_run(bench: LaneSetup):
    bench.add(5)

    def emptied(messages: Sequence[Message]) -> Reply:
        bench.redis.flushall()
        return always(Sent())(messages)

    bench.destination.next.append(emptied)

    assert bench.run() == LaneReport("lost", sent=4, calls=1)
    assert bench.statuses() == [*["sent"] * 4, "pending"]


def test_a_holder_who_was_outrun_writes_nothing(bench: LaneSetup):
    bench.add()

    def outrun(messages: Sequence[Message]) -> Reply:
        with writing(bench.engine) as conn:
            acquire_lane(conn, bench.link.id, LANE, bench.now)
        return always(Sent())(messages)

    bench.destination.next.append(outrun)

    assert bench.run().stopped == "lost"
    assert bench.statuses() == ["pending"]


def test_what_a_killed_holder_had_begun_is_sent_again(bench: LaneSetup):
    ids = bench.add(2)

    def killed(_: Sequence[Message]) -> Reply:
        raise KeyboardInterrupt

    bench.destination.next.append(killed)
    with pytest.raises(KeyboardInterrupt):
        bench.run()

    assert bench.run().sent == 2
    assert bench.destination.sent_ids == [ids, ids]


def test_a_fault_of_our_own_is_raised_and_the_lane_rests(bench: LaneSetup):
    bench.add()

    def faulty(_: Sequence[Message]) -> Reply:
        raise ZeroDivisionError

    bench.destination.next.append(faulty)

    with pytest.raises(ZeroDivisionError):
        bench.run()

    attempts, next_attempt_at, reason = bench.lane_row()
    assert (attempts, reason) == (1, "our own fault: ZeroDivisionError")
    assert next_attempt_at >= bench.now
    assert not bench.redis.exists(bench.lease_key)


def test_a_connection_that_cannot_be_opened_lets_the_lane_rest(bench: LaneSetup):
    bench.add()

    def gone(_: int) -> None:
        raise Misconfigured("gone")

    bench._open = gone  # type: ignore[method-assign,assignment]

    with pytest.raises(Misconfigured):
        bench.run()
    assert bench.lane_row().reason == "gone"


def test_a_database_in_trouble_is_not_written_down_as_a_fault_of_the_lane(bench: LaneSetup):
    ids = bench.add()

    def without_a_right(_: int) -> None:
        raise ProgrammingError("SELECT", {}, InsufficientPrivilege("permission denied"))

    opens, bench._open = bench._open, without_a_right  # type: ignore[method-assign,assignment]
    with pytest.raises(ProgrammingError):
        bench.run()
    bench._open = opens  # type: ignore[method-assign]

    assert bench.run().sent == 1
    assert bench.destination.sent_ids == [ids]


def test_without_redis_nothing_is_claimed(bench: LaneSetup):
    bench.add()
    bench.redis = unreachable_redis()

    with pytest.raises(redis.ConnectionError):
        bench.run()
    assert bench.statuses() == ["pending"]
