"""Delivers one lane of one connection: claims messages, sends them and records the outcomes until it has to stop.

It knows no platform and never sleeps: a wait is a time in the lane's row, at which the sweep starts the lane again.
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
from pipeline.delivery.send_in_order import send_in_order
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
    take_out_withheld,
)
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.faults import classify_database_error

MAX_BACKFILL_BATCH = 50  # messages: a live message waits for no longer than these take
_TOO_MANY_REQUESTS = 429


def run_lane(deps: LaneDeps, connection_id: int, lane: int, *, until: int) -> LaneReport:
    """Deliver what is pending in the lane until it is empty, has to wait, or `until` (µs) has passed.

    Raises redis.RedisError or SQLAlchemyError if Redis or the database is unavailable. What was claimed then is sent
    again by the next run, with the same ids.
    """
    run = _LaneRun(deps, connection_id, lane, until)
    stopped = run.run_once()
    # A message written while this run was releasing the lane found it held, so no other task comes for it.
    while run.has_late_arrivals(stopped):
        stopped = run.run_once()
    return replace(run.report, stopped=stopped)


class _LaneRun:
    """The state of one run of one lane."""

    def __init__(self, deps: LaneDeps, connection_id: int, lane: int, until: int) -> None:
        self._deps = deps
        self._connection_id = connection_id
        self._lane = lane
        self._until = until
        self._seen = LaneState()
        self._taken: HeldLane | None = None  # set with the first write
        self._attempts = 0  # consecutive failures
        self._is_clear = False  # whether the lane's row is known to hold no failure
        self._priority: int | None = None  # of the next message, as last read; None: there is none
        self._extra_calls = 0  # calls of the last send beyond the one that the budget was asked for
        self.report = LaneReport("empty")

    def run_once(self) -> StopReason:
        """Drain the lane under its lease."""
        token = self._deps.context.make_nonce()
        key = redis_keys.lane_lease(self._connection_id, self._lane)
        lease = Lease(self._deps.context.redis, key, token, self._deps.lease_ms)
        try:
            with lease.hold() as is_held:
                return self._drain(lease) if is_held else "held"
        except StaleFence:
            return "lost"

    def has_late_arrivals(self, stopped: StopReason) -> bool:
        if stopped not in ("empty", "yields"):
            return False
        priority = self._find_next_priority()
        return priority == LIVE_PRIORITY or (stopped == "empty" and priority is not None)

    def _find_next_priority(self) -> int | None:
        """Return the priority of the next message, or None if there is none."""
        with reading(self._deps.context.engine) as conn:
            return find_next_priority(conn, self._connection_id, self._lane)

    def _drain(self, lease: Lease) -> StopReason:
        with reading(self._deps.context.engine) as conn:
            self._seen = seen = peek_lane(conn, self._connection_id, self._lane)
        self._taken, self._attempts = None, seen.attempts
        self._is_clear = seen.attempts == seen.next_attempt_at == 0
        if seen.priority is None:
            return "empty"
        if seen.next_attempt_at > self._deps.context.now():
            return self._report_waiting(seen.next_attempt_at)
        if not lease.renew():  # the row just read may be that of another holder at work
            return "lost"
        with self._postponing_on_error():
            connection = self._deps.open_connection(self._connection_id)
        stopped = self._step(connection, seen.priority)
        while stopped is None:
            if (priority := self._priority) is None:
                return "empty"
            stopped = self._step(connection, priority) if lease.renew() else "lost"
        return stopped

    def _take_lane(self, conn: Connection) -> HeldLane:
        """Take the lane in the ledger, together with the first write: a commit costs as much as all that it commits.

        Raises StaleFence if another holder has taken it since it was read.
        """
        if self._taken is None:
            lane_id = self._connection_id, self._lane
            self._taken = acquire_lane(conn, *lane_id, self._deps.context.now(), self._seen.token)
        return self._taken

    def _step(self, connection: OpenConnection, priority: int) -> StopReason | None:
        """Make at most one send, of messages of one priority. Return why to stop, or None to go on."""
        if self._deps.context.now() >= self._until or self._deps.should_yield():
            return "deadline"
        if priority != LIVE_PRIORITY and connection.backfill_budget.acquire() > 0:
            return "yields"
        wait = connection.budget.acquire(1 + self._extra_calls)
        if wait > 0:
            record_wait(self._connection_id, wait)
            return self._postpone(wait, self._attempts, "waits for the account's rate budget")
        with writing(self._deps.context.engine) as conn:
            claimed = claim(conn, self._take_lane(conn), _max_batch(connection, priority), priority)
            messages = take_out_withheld(conn, claimed, self._deps.context.now())
        if not messages:
            return "empty"  # the connection has been paused since the lane was read, or all are withheld
        with self._postponing_on_error(), self._deps.around_call():
            reply = send_in_order(connection.destination, messages)
        stopped = self._record(messages, reply)
        record_send(self._connection_id, messages, reply, self._deps.context.now())
        record_latency(self._deps.context.redis, (self._connection_id, self._lane), reply)
        _update_budget(connection, reply)
        return stopped

    @contextmanager
    def _postponing_on_error(self) -> Iterator[None]:
        """Postpone the lane when the block raises, and raise on: else the sweep would start it again every second.

        Database trouble is not the lane's fault, and could not be recorded anyway.
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
        """Write the outcomes and what follows from them for the lane, in one transaction."""
        self._add_to_report(reply)
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

    def _add_to_report(self, reply: Reply) -> None:
        self.report = replace(
            self.report,
            sent=self.report.sent + sum(isinstance(outcome, Sent) for outcome in reply.outcomes),
            rejected=self.report.rejected + sum(isinstance(outcome, Rejected) for outcome in reply.outcomes),
            calls=self.report.calls + len(reply.calls),
        )


def _describe_error(error: Exception) -> str:
    """Return the text of a Misconfigured error, which says what to do. Other texts may quote data: only the type."""
    return str(error) if isinstance(error, Misconfigured) else f"our own fault: {type(error).__name__}"


def _max_batch(connection: OpenConnection, priority: int) -> int:
    max_items = connection.destination.max_items
    return max_items if priority == LIVE_PRIORITY else min(max_items, MAX_BACKFILL_BATCH)


def _made_progress(reply: Reply) -> bool:
    """Return whether anything was settled; if so, the failures before it no longer count."""
    return any(isinstance(outcome, Sent | Rejected) for outcome in reply.outcomes)


def _update_budget(connection: OpenConnection, reply: Reply) -> None:
    """Report the send to the account's budget. A Retry-After holds off all processes; only a 429 lowers the rate."""
    stop = find_stop(reply)
    if stop is None:
        connection.budget.record_success()
    elif isinstance(stop, RetryAfter) and reply.calls and reply.calls[-1].status == _TOO_MANY_REQUESTS:
        connection.budget.pause(stop.seconds)
    elif isinstance(stop, RetryAfter) and stop.seconds:
        connection.budget.hold_off(stop.seconds)


def _to_us(seconds: float) -> int:
    return round(seconds * 1_000_000)
