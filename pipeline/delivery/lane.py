"""Empties one lane of one connection: claims, sends and writes down what became of it, until it has to stop.

Knows no platform and never sleeps: waiting is a time in the lane's row, and a sweep comes back for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection

from pipeline.core.backoff import full_jitter
from pipeline.core.errors import Misconfigured, StaleFence
from pipeline.core.messages import LIVE_PRIORITY, ConnectionBroken, Message, Rejected, Reply, RetryAfter, Sent
from pipeline.delivery.metrics import find_stop, record_send, record_wait
from pipeline.delivery.open_connection import LaneDeps, LaneReport, OpenConnection, StopReason
from pipeline.delivery.slow_lanes import record_latency
from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.deliveries import (
    HeldLane,
    LaneState,
    acquire_lane,
    claim,
    clear_lane,
    find_next_priority,
    pause_connection,
    peek_lane,
    postpone_lane,
    settle,
)
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.faults import classify_database_error

MAX_BACKFILL_BATCH = 50  # messages: live news waits for no longer than these take
_TOO_MANY_REQUESTS = 429


def run_lane(deps: LaneDeps, connection_id: int, lane: int, *, until: int) -> LaneReport:
    """Deliver what is pending in the lane until it is empty, has to wait, or the deadline (µs) has come.

    Raises redis.RedisError or SQLAlchemyError if one of ours is away; what was claimed then is sent again by the
    next run, under the same ids.
    """
    run = _LaneRun(deps, connection_id, lane, until)
    stopped = run.once()
    # A message written while we were leaving found the lane held, so nobody else comes for it.
    while run.has_late_arrivals(stopped):
        stopped = run.once()
    return replace(run.report, stopped=stopped)


class _LaneRun:
    """One worker's time at one lane."""

    def __init__(self, deps: LaneDeps, connection_id: int, lane: int, until: int) -> None:
        self._deps = deps
        self._connection_id = connection_id
        self._lane = lane
        self._until = until
        self._seen = LaneState()
        self._taken: HeldLane | None = None  # until something is written
        self._attempts = 0  # failures in a row, so far
        self._is_clear = False  # whether the lane's row is known to hold no failure
        self._priority: int | None = None  # of what is next, as last seen; None: nothing is
        self._extra_calls = 0  # calls the last send made beyond the one it had asked for
        self.report = LaneReport("empty")

    def once(self) -> StopReason:
        """Take the lease, work, give it back."""
        token = self._deps.context.make_nonce()
        key = redis_keys.lane_lease(self._connection_id, self._lane)
        lease = Lease(self._deps.context.redis, key, token, self._deps.lease_ms)
        if not lease.acquire():
            return "held"
        try:
            with lease.kept():
                return self._hold(lease)
        except StaleFence:
            return "lost"
        finally:
            lease.release()

    def has_late_arrivals(self, stopped: StopReason) -> bool:
        if stopped not in ("empty", "yields"):
            return False
        waiting = self._next()
        return waiting == LIVE_PRIORITY or (stopped == "empty" and waiting is not None)

    def _next(self) -> int | None:
        """The priority of what is next; None: nothing is."""
        with reading(self._deps.context.engine) as conn:
            return find_next_priority(conn, self._connection_id, self._lane)

    def _hold(self, lease: Lease) -> StopReason:
        with reading(self._deps.context.engine) as conn:
            self._seen = seen = peek_lane(conn, self._connection_id, self._lane)
        self._taken, self._attempts = None, seen.attempts
        self._is_clear = seen.attempts == seen.next_attempt_at == 0
        if seen.priority is None:
            return "empty"
        if seen.next_attempt_at > self._deps.context.now():
            return self._report_waiting(seen.next_attempt_at)
        if not lease.renew():  # else what was seen may be another holder's, who is at work
            return "lost"
        with self._postponing_on_error():
            line = self._deps.open_connection(self._connection_id)
        stopped = self._step(line, seen.priority)
        while stopped is None:
            if (priority := self._priority) is None:
                return "empty"
            stopped = self._step(line, priority) if lease.renew() else "lost"
        return stopped

    def _take_lane(self, conn: Connection) -> HeldLane:
        """The lane. It is taken with the first thing that is written, for a commit costs as much as all it commits.

        Raise StaleFence if somebody has taken it since we looked.
        """
        if self._taken is None:
            here = self._connection_id, self._lane
            self._taken = acquire_lane(conn, *here, self._deps.context.now(), self._seen.token)
        return self._taken

    def _step(self, connection: OpenConnection, priority: int) -> StopReason | None:
        """At most one send, of messages of one priority. None: go on."""
        if self._deps.context.now() >= self._until or self._deps.should_yield():
            return "deadline"
        if priority != LIVE_PRIORITY and connection.share.acquire() > 0:
            return "yields"
        wait = connection.budget.acquire(1 + self._extra_calls)
        if wait > 0:
            record_wait(self._connection_id, wait)
            return self._postpone(wait, self._attempts, "waits for the account's rate budget")
        with writing(self._deps.context.engine) as conn:
            messages = claim(conn, self._take_lane(conn), _max_batch(connection, priority), priority)
        if not messages:
            return "empty"  # the connection has been paused since we looked
        with self._postponing_on_error(), self._deps.around_call():
            reply = connection.destination.send(messages)
        stopped = self._record(messages, reply)
        record_send(self._connection_id, messages, reply, self._deps.context.now())
        record_latency(self._deps.context.redis, (self._connection_id, self._lane), reply)
        _update_budget(connection, reply)
        return stopped

    @contextmanager
    def _postponing_on_error(self) -> Iterator[None]:
        """A fault of our own is raised, but the lane rests: else the sweep comes back for it every second.

        A database in trouble cannot be told that a lane rests, and has nothing to do with this one.
        """
        try:
            yield
        except Exception as error:
            if classify_database_error(error) is not None:
                raise
            attempts = self._attempts + 1
            self._postpone(self._jitter(attempts), attempts, _describe_error(error))
            raise

    def _record(self, messages: Sequence[Message], reply: Reply) -> StopReason | None:
        """Outcomes and what follows for the lane, in one transaction."""
        self._count(reply)
        self._extra_calls = max(0, len(reply.calls) - 1)
        now, stop = self._deps.context.now(), find_stop(reply)
        ids = (message.delivery_id for message in messages)
        with writing(self._deps.context.engine) as conn:
            taken = self._take_lane(conn)
            settle(conn, taken, list(zip(ids, reply.outcomes, strict=True)), reply.calls, now)
            match stop:
                case None:
                    if not self._is_clear:
                        clear_lane(conn, taken)
                    self._is_clear, self._attempts = True, 0
                    self._priority = find_next_priority(conn, taken.connection_id, taken.lane)
                    return None
                case ConnectionBroken(reason):
                    pause_connection(conn, taken.connection_id, reason, now)
                    return "paused"
                case RetryAfter(seconds, reason):
                    attempts = 1 if _made_progress(reply) else self._attempts + 1
                    wait = self._jitter(attempts) if seconds is None else seconds
                    at = now + _to_us(wait)
                    postpone_lane(conn, taken, at, attempts, reason)
                    return self._report_waiting(at)

    def _postpone(self, seconds: float, attempts: int, reason: str) -> StopReason:
        at = self._deps.context.now() + _to_us(seconds)
        with writing(self._deps.context.engine) as conn:
            postpone_lane(conn, self._take_lane(conn), at, attempts, reason)
        return self._report_waiting(at)

    def _report_waiting(self, at: int) -> StopReason:
        self.report = replace(self.report, next_attempt_at=at)
        return "waiting"

    def _jitter(self, attempts: int) -> float:
        return full_jitter(attempts - 1, self._deps.context.rng)

    def _count(self, reply: Reply) -> None:
        self.report = replace(
            self.report,
            sent=self.report.sent + sum(isinstance(one, Sent) for one in reply.outcomes),
            rejected=self.report.rejected + sum(isinstance(one, Rejected) for one in reply.outcomes),
            calls=self.report.calls + len(reply.calls),
        )


def _describe_error(error: Exception) -> str:
    """What is wrong with the settings says itself what to do; of a fault its kind is all that may be told."""
    return str(error) if isinstance(error, Misconfigured) else f"our own fault: {type(error).__name__}"


def _max_batch(connection: OpenConnection, priority: int) -> int:
    most = connection.destination.max_items
    return most if priority == LIVE_PRIORITY else min(most, MAX_BACKFILL_BATCH)


def _made_progress(reply: Reply) -> bool:
    """Whether anything was settled: then the failures before it no longer count."""
    return any(isinstance(one, Sent | Rejected) for one in reply.outcomes)


def _update_budget(connection: OpenConnection, reply: Reply) -> None:
    """Let the account's budget know how it went. A named time is everybody's; only a 429 is about the rate."""
    stop = find_stop(reply)
    if stop is None:
        connection.budget.record_success()
    elif isinstance(stop, RetryAfter) and reply.calls and reply.calls[-1].status == _TOO_MANY_REQUESTS:
        connection.budget.pause(stop.seconds)
    elif isinstance(stop, RetryAfter) and stop.seconds:
        connection.budget.rest(stop.seconds)


def _to_us(seconds: float) -> int:
    return round(seconds * 1_000_000)
