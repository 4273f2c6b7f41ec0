from __future__ import annotations

from collections.abc import Sequence

import fakeredis
import pytest
import redis

from pipeline.errors import Misconfigured
from pipeline.lanes.backoff import LONGEST_BACKOFF
from pipeline.lanes.lane import run_lane
from pipeline.lanes.lease import Lease
from pipeline.lanes.line import LaneReport
from pipeline.ledger.deliveries import pause_connection, postpone_lane, resume_connection, take_lane
from pipeline.ledger.engine import writing
from pipeline.model import ConnectionBroken, Message, Rejected, Reply, RetryAfter, Sent
from tests.pipeline.lanes.bench import LANE, SECOND, Bench, unreachable
from tests.pipeline.lanes.scripted import always, reply

BUSY = RetryAfter(None, "answered 503")


def test_a_lane_is_emptied_in_order_batch_by_batch(bench: Bench):
    ids = bench.add(6)

    assert bench.run() == LaneReport("empty", sent=6, calls=2)
    assert bench.destination.sent_ids == [ids[:4], ids[4:]]
    assert bench.statuses() == ["sent"] * 6


def test_an_empty_lane_opens_no_connection(bench: Bench):
    assert bench.run() == LaneReport("empty")
    assert (bench.opened, bench.budget.costs) == (0, [])


def test_a_lane_in_other_hands_is_left_alone(bench: Bench):
    bench.add()
    Lease(bench.redis, bench.lease_key, "somebody", 60_000).acquire()

    assert bench.run() == LaneReport("held")
    assert bench.destination.sends == []


def test_the_lease_is_given_back(bench: Bench):
    bench.add()
    bench.run()

    assert not bench.redis.exists(bench.lease_key)


def test_a_message_written_while_the_holder_was_leaving_does_not_wait(bench: Bench):
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


def test_a_rejected_item_stops_no_other(bench: Bench):
    bench.add(3)
    bench.destination.next.append(lambda _: reply([Sent(), Rejected("refused", "is odd"), Sent()]))

    assert bench.run() == LaneReport("empty", sent=2, rejected=1, calls=1)
    assert bench.statuses() == ["sent", "dead", "sent"]


def test_after_a_failure_that_passes_the_lane_waits_and_keeps_the_rest(bench: Bench):
    bench.add(6)
    bench.destination.next.append(lambda _: reply([Sent(), BUSY, BUSY, BUSY], 503))

    report = bench.run()

    assert (report.stopped, report.sent) == ("waiting", 1)
    assert bench.statuses() == ["sent", *["pending"] * 5]
    assert bench.lane_row() == (1, report.next_attempt_at, "answered 503")
    assert report.next_attempt_at is not None
    assert bench.now <= report.next_attempt_at <= bench.now + LONGEST_BACKOFF * SECOND


def test_a_lane_that_waits_is_not_hurried(bench: Bench):
    bench.add()
    bench.destination.next.append(always(RetryAfter(30.0, "answered 429"), 429))
    waiting = bench.run()

    assert bench.run() == LaneReport("waiting", next_attempt_at=waiting.next_attempt_at)
    assert len(bench.destination.sends) == 1


def test_the_time_the_platform_asked_for_is_kept(bench: Bench):
    bench.add()
    bench.destination.next.append(always(RetryAfter(30.0, "answered 429"), 429))

    assert bench.run().next_attempt_at == bench.now + 30 * SECOND


def test_failures_in_a_row_are_counted_and_forgotten_after_a_success(bench: Bench):
    bench.add()
    bench.destination.next.extend([always(BUSY), always(BUSY)])
    counts = []
    for _ in range(3):
        bench.now = bench.run().next_attempt_at or bench.now
        counts.append(bench.lane_row().attempts)

    assert counts == [1, 2, 0]
    assert bench.lane_row() == (0, 0, None)


def test_a_failure_after_some_went_through_counts_as_the_first(bench: Bench):
    bench.add(2)
    bench.destination.next.extend([always(BUSY), always(BUSY), lambda _: reply([Sent(), BUSY])])
    for _ in range(3):
        bench.now = bench.run().next_attempt_at or bench.now

    assert bench.lane_row().attempts == 1


def test_a_failure_after_a_whole_batch_went_through_counts_as_the_first(bench: Bench):
    bench.add(5)
    bench.destination.next.extend([always(BUSY), always(Sent()), always(BUSY)])
    bench.now = bench.run().next_attempt_at or bench.now
    bench.run()

    assert bench.lane_row().attempts == 1


@pytest.mark.parametrize("seconds", [30.0, None])
def test_a_429_pauses_the_accounts_budget(bench: Bench, seconds: float | None):
    bench.add()
    bench.destination.next.append(always(RetryAfter(seconds, "answered 429"), 200, 429))
    bench.run()

    assert (bench.budget.pauses, bench.budget.successes) == ([seconds], 0)


def test_another_failure_does_not(bench: Bench):
    bench.add()
    bench.destination.next.append(always(RetryAfter(30.0, "answered 503"), 503))
    bench.run()

    assert bench.budget.pauses == []


def test_a_send_that_went_through_lets_the_rate_creep_up(bench: Bench):
    bench.add(5)
    bench.run()

    assert bench.budget.successes == 2


def test_calls_beyond_the_first_are_paid_with_the_next_send(bench: Bench):
    bench.add(9)
    bench.destination.next.append(always(Sent(), 400, 200, 200))
    bench.run()

    assert bench.budget.costs == [1, 3, 1]


def test_an_exhausted_budget_lets_the_lane_wait_without_a_failure(bench: Bench):
    bench.add()
    bench.budget.waits.append(2.5)

    report = bench.run()

    assert report == LaneReport("waiting", next_attempt_at=bench.now + round(2.5 * SECOND))
    assert bench.lane_row() == (0, report.next_attempt_at, "waits for the account's rate budget")
    assert bench.statuses() == ["pending"]


def test_a_broken_connection_is_paused_with_its_reason_and_keeps_everything(bench: Bench):
    bench.add(6)
    broken = ConnectionBroken("the credentials were refused (401)")
    bench.destination.next.append(lambda _: reply([Sent(), broken, broken, broken], 401))

    assert bench.run() == LaneReport("paused", sent=1, calls=1)
    assert bench.connection_row() == ("paused", broken.reason)
    assert bench.statuses() == ["sent", *["pending"] * 5]
    assert bench.run() == LaneReport("empty")


def test_a_resumed_connection_goes_on_where_it_stopped(bench: Bench):
    ids = bench.add(2)
    bench.destination.next.append(always(ConnectionBroken("refused"), 401))
    bench.run()
    with writing(bench.engine) as conn:
        resume_connection(conn, bench.link.id, bench.now)

    assert bench.run().sent == 2
    assert bench.destination.sent_ids == [ids, ids]


def test_a_connection_paused_between_two_batches_stops_there(bench: Bench):
    bench.add(5)

    def pausing(messages: Sequence[Message]) -> Reply:
        with writing(bench.engine) as conn:
            pause_connection(conn, bench.link.id, "by hand", bench.now)
        return always(Sent())(messages)

    bench.destination.next.append(pausing)

    assert bench.run() == LaneReport("empty", sent=4, calls=1)


def test_a_connection_paused_while_the_budget_was_asked_sends_nothing(bench: Bench):
    bench.add()

    def acquire(cost: int = 1) -> float:
        with writing(bench.engine) as conn:
            pause_connection(conn, bench.link.id, "by hand", bench.now)
        return 0.0

    bench.budget.acquire = acquire  # type: ignore[method-assign]

    assert bench.run() == LaneReport("empty")
    assert bench.destination.sends == []


def test_the_deadline_ends_a_run_between_two_batches(bench: Bench):
    bench.add(9)

    def slow(messages: Sequence[Message]) -> Reply:
        bench.now += 60 * SECOND
        return always(Sent())(messages)

    bench.destination.next.append(slow)

    assert bench.run(seconds=60) == LaneReport("deadline", sent=4, calls=1)
    assert bench.statuses() == [*["sent"] * 4, *["pending"] * 5]


def test_a_lease_lost_to_an_emptied_redis_ends_the_run(bench: Bench):
    bench.add(5)

    def emptied(messages: Sequence[Message]) -> Reply:
        bench.redis.flushall()
        return always(Sent())(messages)

    bench.destination.next.append(emptied)

    assert bench.run() == LaneReport("lost", sent=4, calls=1)
    assert bench.statuses() == [*["sent"] * 4, "pending"]


def test_a_holder_who_was_outrun_writes_nothing(bench: Bench):
    bench.add()

    def outrun(messages: Sequence[Message]) -> Reply:
        with writing(bench.engine) as conn:
            take_lane(conn, bench.link.id, LANE, bench.now)
        return always(Sent())(messages)

    bench.destination.next.append(outrun)

    assert bench.run().stopped == "lost"
    assert bench.statuses() == ["pending"]


def test_what_a_killed_holder_had_begun_is_sent_again(bench: Bench):
    ids = bench.add(2)

    def killed(_: Sequence[Message]) -> Reply:
        raise KeyboardInterrupt

    bench.destination.next.append(killed)
    with pytest.raises(KeyboardInterrupt):
        bench.run()

    assert bench.run().sent == 2
    assert bench.destination.sent_ids == [ids, ids]


def test_a_fault_of_our_own_is_raised_and_the_lane_rests(bench: Bench):
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


def test_a_connection_that_cannot_be_opened_lets_the_lane_rest(bench: Bench):
    bench.add()

    def gone(_: int) -> None:
        raise Misconfigured("gone")

    bench._open = gone  # type: ignore[method-assign,assignment]

    with pytest.raises(Misconfigured):
        bench.run()
    assert bench.lane_row().reason == "our own fault: Misconfigured"


def test_without_redis_nothing_is_claimed(bench: Bench):
    bench.add()
    bench.redis = unreachable()

    with pytest.raises(redis.ConnectionError):
        bench.run()
    assert bench.statuses() == ["pending"]


def test_the_calls_are_kept(bench: Bench):
    bench.add(2)

    assert bench.run().calls == 1


def test_two_lanes_of_a_connection_are_independent(bench: Bench):
    bench.add()
    bench.add(lane=1)
    with writing(bench.engine) as conn:
        taken = take_lane(conn, bench.link.id, LANE, bench.now)
        postpone_lane(conn, taken, bench.now + SECOND, 1, "answered 503")

    assert run_lane(bench.deps, bench.link.id, 1, until=bench.now + SECOND).sent == 1
    assert bench.statuses() == ["pending", "sent"]
