from __future__ import annotations

from collections.abc import Sequence

import fakeredis
import pytest
from sqlalchemy import event, select

from pipeline.core.messages import Message, Rejected, Reply, Sent
from pipeline.delivery.lane import run_lane
from pipeline.delivery.open_connection import LaneReport
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.deliveries import HeldLane, acquire_lane, claim, postpone_lane
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.core import Lane
from tests.pipeline.delivery.fake_destination import always, reply
from tests.pipeline.delivery.lane_setup import LANE, SECOND, LaneSetup


def test_a_lane_is_emptied_in_order_batch_by_batch(lane_setup: LaneSetup):
    ids = lane_setup.add(6)

    assert lane_setup.run() == LaneReport("empty", sent=6, calls=2)
    assert lane_setup.destination.sent_ids == [ids[:4], ids[4:]]
    assert lane_setup.statuses() == ["sent"] * 6


def test_an_empty_lane_opens_no_connection(lane_setup: LaneSetup):
    assert lane_setup.run() == LaneReport("empty")
    assert (lane_setup.opened, lane_setup.budget.costs) == (0, [])


def test_a_run_of_an_empty_lane_writes_nothing(lane_setup: LaneSetup):
    lane_setup.run()

    with reading(lane_setup.engine) as conn:
        assert conn.execute(select(Lane)).all() == []


@pytest.mark.on_both_databases
def test_one_send_is_written_down_in_two_transactions(lane_setup: LaneSetup):
    lane_setup.add()
    only_reads: list[bool] = []
    event.listen(
        lane_setup.engine, "begin", lambda conn: only_reads.append("sqlite_readonly" in conn.get_execution_options())
    )

    lane_setup.run()

    assert only_reads.count(False) == 2


def test_a_worker_stopped_after_reading_the_lane_does_not_take_it_from_another(lane_setup: LaneSetup):
    lane_setup.add()
    others: list[HeldLane] = []

    def acquire(cost: int = 1) -> float:
        with writing(lane_setup.engine) as conn:
            others.append(acquire_lane(conn, lane_setup.connection.id, LANE, lane_setup.now))
        return 0.0

    lane_setup.budget.acquire = acquire  # type: ignore[method-assign]

    assert lane_setup.run() == LaneReport("lost")
    with writing(lane_setup.engine) as conn:
        assert len(claim(conn, others[0], 10)) == 1


def test_a_worker_stopped_before_reading_the_lane_does_not_take_it_from_another(lane_setup: LaneSetup):
    lane_setup.add()
    with writing(lane_setup.engine) as conn:
        taken = acquire_lane(conn, lane_setup.connection.id, LANE, lane_setup.now)
    event.listen(lane_setup.engine, "begin", lambda _: lane_setup.redis.set(lane_setup.lease_key, "another"), once=True)

    assert lane_setup.run() == LaneReport("lost")
    with writing(lane_setup.engine) as conn:
        assert len(claim(conn, taken, 10)) == 1


@pytest.mark.on_both_databases
def test_a_lane_held_by_another_worker_is_left_alone(lane_setup: LaneSetup):
    lane_setup.add()
    Lease(lane_setup.redis, lane_setup.lease_key, "another", 60_000).acquire()

    assert lane_setup.run() == LaneReport("held")
    assert lane_setup.destination.sends == []


@pytest.mark.on_both_databases
def test_the_lease_is_released(lane_setup: LaneSetup):
    lane_setup.add()
    lane_setup.run()

    assert not lane_setup.redis.exists(lane_setup.lease_key)


@pytest.mark.on_both_databases
def test_a_message_written_while_the_lease_is_released_does_not_wait(lane_setup: LaneSetup):
    lane_setup.add()
    late: list[int] = []

    class Leaving(fakeredis.FakeRedis):
        def eval(self, script: str, *arguments: object) -> object:
            if "DEL" in script and not late:
                late.extend(lane_setup.add())
            return super().eval(script, *arguments)

    lane_setup.redis = Leaving(server=fakeredis.FakeServer())

    assert lane_setup.run().sent == 2
    assert lane_setup.destination.sent_ids[1] == late


def test_a_rejected_item_stops_no_other(lane_setup: LaneSetup):
    lane_setup.add(3)
    lane_setup.destination.next.append(lambda _: reply([Sent(), Rejected("refused", "is odd"), Sent()]))

    assert lane_setup.run() == LaneReport("empty", sent=2, rejected=1, calls=1)
    assert lane_setup.statuses() == ["sent", "dead", "sent"]


def test_the_deadline_ends_a_run_between_two_batches(lane_setup: LaneSetup):
    lane_setup.add(9)

    def slow(messages: Sequence[Message]) -> Reply:
        lane_setup.now += 60 * SECOND
        return always(Sent())(messages)

    lane_setup.destination.next.append(slow)

    assert lane_setup.run(seconds=60) == LaneReport("deadline", sent=4, calls=1)
    assert lane_setup.statuses() == [*["sent"] * 4, *["pending"] * 5]


@pytest.mark.on_both_databases
def test_two_lanes_of_a_connection_are_independent(lane_setup: LaneSetup):
    lane_setup.add()
    lane_setup.add(lane=1)
    with writing(lane_setup.engine) as conn:
        taken = acquire_lane(conn, lane_setup.connection.id, LANE, lane_setup.now)
        postpone_lane(conn, taken, lane_setup.now + SECOND, 1, "answered 503")

    assert run_lane(lane_setup.deps, lane_setup.connection.id, 1, until=lane_setup.now + SECOND).sent == 1
    assert lane_setup.statuses() == ["pending", "sent"]
