from __future__ import annotations

from collections.abc import Sequence

import fakeredis
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


def test_a_lane_is_emptied_in_order_batch_by_batch(bench: LaneSetup):
    ids = bench.add(6)

    assert bench.run() == LaneReport("empty", sent=6, calls=2)
    assert bench.destination.sent_ids == [ids[:4], ids[4:]]
    assert bench.statuses() == ["sent"] * 6


def test_an_empty_lane_opens_no_connection(bench: LaneSetup):
    assert bench.run() == LaneReport("empty")
    assert (bench.opened, bench.budget.costs) == (0, [])


def test_a_look_at_an_empty_lane_writes_nothing(bench: LaneSetup):
    bench.run()

    with reading(bench.engine) as conn:
        assert conn.execute(select(Lane)).all() == []


def test_one_send_is_written_down_in_two_transactions(bench: LaneSetup):
    bench.add()
    only_reads: list[bool] = []
    event.listen(
        bench.engine, "begin", lambda conn: only_reads.append("sqlite_readonly" in conn.get_execution_options())
    )

    bench.run()

    assert only_reads.count(False) == 2


def test_a_worker_that_slept_after_its_look_takes_the_lane_from_nobody(bench: LaneSetup):
    bench.add()
    others: list[HeldLane] = []

    def acquire(cost: int = 1) -> float:
        with writing(bench.engine) as conn:
            others.append(acquire_lane(conn, bench.link.id, LANE, bench.now))
        return 0.0

    bench.budget.acquire = acquire  # type: ignore[method-assign]

    assert bench.run() == LaneReport("lost")
    with writing(bench.engine) as conn:
        assert len(claim(conn, others[0], 10)) == 1


def test_a_worker_that_slept_before_its_look_takes_the_lane_from_nobody(bench: LaneSetup):
    bench.add()
    with writing(bench.engine) as conn:
        taken = acquire_lane(conn, bench.link.id, LANE, bench.now)
    event.listen(bench.engine, "begin", lambda _: bench.redis.set(bench.lease_key, "somebody"), once=True)

    assert bench.run() == LaneReport("lost")
    with writing(bench.engine) as conn:
        assert len(claim(conn, taken, 10)) == 1


def test_a_lane_in_other_hands_is_left_alone(bench: LaneSetup):
    bench.add()
    Lease(bench.redis, bench.lease_key, "somebody", 60_000).acquire()

    assert bench.run() == LaneReport("held")
    assert bench.destination.sends == []


def test_the_lease_is_given_back(bench: LaneSetup):
    bench.add()
    bench.run()

    assert not bench.redis.exists(bench.lease_key)


def test_a_message_written_while_the_holder_was_leaving_does_not_wait(bench: LaneSetup):
    bench.add()
    late: list[int] = []

    class Leaving(fakeredis.FakeRedis):
        def eval(self, script: str, *arguments: object) -> object:
            if "DEL" in script and not late:
                late.extend(bench.add())
            return super().eval(script, *arguments)

    bench.redis = Leaving(server=fakeredis.FakeServer())

    assert bench.run().sent == 2
    assert bench.destination.sent_ids[1] == late


def test_a_rejected_item_stops_no_other(bench: LaneSetup):
    bench.add(3)
    bench.destination.next.append(lambda _: reply([Sent(), Rejected("refused", "is odd"), Sent()]))

    assert bench.run() == LaneReport("empty", sent=2, rejected=1, calls=1)
    assert bench.statuses() == ["sent", "dead", "sent"]


def test_the_deadline_ends_a_run_between_two_batches(bench: LaneSetup):
    bench.add(9)

    def slow(messages: Sequence[Message]) -> Reply:
        bench.now += 60 * SECOND
        return always(Sent())(messages)

    bench.destination.next.append(slow)

    assert bench.run(seconds=60) == LaneReport("deadline", sent=4, calls=1)
    assert bench.statuses() == [*["sent"] * 4, *["pending"] * 5]


def test_two_lanes_of_a_connection_are_independent(bench: LaneSetup):
    bench.add()
    bench.add(lane=1)
    with writing(bench.engine) as conn:
        taken = acquire_lane(conn, bench.link.id, LANE, bench.now)
        postpone_lane(conn, taken, bench.now + SECOND, 1, "answered 503")

    assert run_lane(bench.deps, bench.link.id, 1, until=bench.now + SECOND).sent == 1
    assert bench.statuses() == ["pending", "sent"]
