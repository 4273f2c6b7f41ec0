"""Empties one lane of one connection: claims, sends and writes down what became of it, until it has to stop.

Knows no platform and never sleeps: waiting is a time in the lane's row, and a sweep comes back for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection

from pipeline import keys
from pipeline.errors import Misconfigured, StaleFence
from pipeline.lanes.backoff import full_jitter
from pipeline.lanes.counting import count_send, count_wait, stop_in
from pipeline.lanes.lease import Lease
from pipeline.lanes.line import LaneDeps, LaneReport, Line, Stopped
from pipeline.lanes.trust import learn
from pipeline.ledger.deliveries import (
    LaneSeen,
    LaneTaken,
    claim,
    clear_lane,
    look_at_lane,
    next_in_lane,
    pause_connection,
    postpone_lane,
    settle,
    take_lane,
)
from pipeline.ledger.deliveries.words import LIVE
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.trouble import trouble_of
from pipeline.model import ConnectionBroken, Message, Rejected, Reply, RetryAfter, Sent

GIVING_WAY_AT_ONCE = 50  # messages: live news waits for no longer than these take
_THROTTLED = 429
_TOKEN_BITS = 128


def run_lane(deps: LaneDeps, connection_id: int, lane: int, *, until: int) -> LaneReport:
    """Deliver what is pending in the lane until it is empty, has to wait, or the deadline (µs) has come.

    Raises redis.RedisError or SQLAlchemyError if one of ours is away; what was claimed then is sent again by the
    next run, under the same ids.
    """
    run = _Run(deps, connection_id, lane, until)
    stopped = run.once()
    # A message written while we were leaving found the lane held, so nobody else comes for it.
    while run.is_called_back(stopped):
        stopped = run.once()
    return replace(run.report, stopped=stopped)


class _Run:
    """One worker's time at one lane."""

    def __init__(self, deps: LaneDeps, connection_id: int, lane: int, until: int) -> None:
        self._deps = deps
        self._connection_id = connection_id
        self._lane = lane
        self._until = until
        self._seen = LaneSeen()
        self._taken: LaneTaken | None = None  # until something is written
        self._attempts = 0  # failures in a row, so far
        self._clear = False  # whether the lane's row is known to hold no failure
        self._priority: int | None = None  # of what is next, as last seen; None: nothing is
        self._owed = 0  # calls the last send made beyond the one it had asked for
        self.report = LaneReport("empty")

    def once(self) -> Stopped:
        """Take the lease, work, give it back."""
        token = f"{self._deps.rng.getrandbits(_TOKEN_BITS):032x}"
        key = keys.lane_lease(self._connection_id, self._lane)
        lease = Lease(self._deps.redis, key, token, self._deps.lease_ms)
        if not lease.acquire():
            return "held"
        try:
            with lease.kept():
                return self._hold(lease)
        except StaleFence:
            return "lost"
        finally:
            lease.release()

    def is_called_back(self, stopped: Stopped) -> bool:
        if stopped not in ("empty", "yields"):
            return False
        waiting = self._next()
        return waiting == LIVE or (stopped == "empty" and waiting is not None)

    def _next(self) -> int | None:
        """The priority of what is next; None: nothing is."""
        with reading(self._deps.engine) as conn:
            return next_in_lane(conn, self._connection_id, self._lane)

    def _hold(self, lease: Lease) -> Stopped:
        with reading(self._deps.engine) as conn:
            self._seen = seen = look_at_lane(conn, self._connection_id, self._lane)
        self._taken, self._attempts = None, seen.attempts
        self._clear = seen.attempts == seen.next_attempt_at == 0
        if seen.priority is None:
            return "empty"
        if seen.next_attempt_at > self._deps.now():
            return self._waits(seen.next_attempt_at)
        if not lease.renew():  # else what was seen may be another holder's, who is at work
            return "lost"
        with self._resting_on_fault():
            line = self._deps.open_line(self._connection_id)
        stopped = self._step(line, seen.priority)
        while stopped is None:
            if (priority := self._priority) is None:
                return "empty"
            stopped = self._step(line, priority) if lease.renew() else "lost"
        return stopped

    def _hand(self, conn: Connection) -> LaneTaken:
        """The lane. It is taken with the first thing that is written, for a commit costs as much as all it commits.

        Raise StaleFence if somebody has taken it since we looked.
        """
        if self._taken is None:
            here = self._connection_id, self._lane
            self._taken = take_lane(conn, *here, self._deps.now(), self._seen.token)
        return self._taken

    def _step(self, line: Line, priority: int) -> Stopped | None:
        """At most one send, of messages of one priority. None: go on."""
        if self._deps.now() >= self._until or self._deps.hurried():
            return "deadline"
        if priority != LIVE and line.share.acquire() > 0:
            return "yields"
        wait = line.budget.acquire(1 + self._owed)
        if wait > 0:
            count_wait(self._connection_id, wait)
            return self._postpone(wait, self._attempts, "waits for the account's rate budget")
        with writing(self._deps.engine) as conn:
            messages = claim(conn, self._hand(conn), _at_once(line, priority), priority)
        if not messages:
            return "empty"  # the connection has been paused since we looked
        with self._resting_on_fault(), self._deps.calling():
            reply = line.destination.send(messages)
        stopped = self._record(messages, reply)
        count_send(self._connection_id, messages, reply, self._deps.now())
        learn(self._deps.redis, (self._connection_id, self._lane), reply)
        _tell(line, reply)
        return stopped

    @contextmanager
    def _resting_on_fault(self) -> Iterator[None]:
        """A fault of our own is raised, but the lane rests: else the sweep comes back for it every second.

        A database in trouble cannot be told that a lane rests, and has nothing to do with this one.
        """
        try:
            yield
        except Exception as error:
            if trouble_of(error) is not None:
                raise
            attempts = self._attempts + 1
            self._postpone(self._jitter(attempts), attempts, _in_words(error))
            raise

    def _record(self, messages: Sequence[Message], reply: Reply) -> Stopped | None:
        """Outcomes and what follows for the lane, in one transaction."""
        self._count(reply)
        self._owed = max(0, len(reply.calls) - 1)
        now, stop = self._deps.now(), stop_in(reply)
        ids = (message.delivery_id for message in messages)
        with writing(self._deps.engine) as conn:
            taken = self._hand(conn)
            settle(conn, taken, list(zip(ids, reply.outcomes, strict=True)), reply.calls, now)
            match stop:
                case None:
                    if not self._clear:
                        clear_lane(conn, taken)
                    self._clear, self._attempts = True, 0
                    self._priority = next_in_lane(conn, taken.connection_id, taken.lane)
                    return None
                case ConnectionBroken(reason):
                    pause_connection(conn, taken.connection_id, reason, now)
                    return "paused"
                case RetryAfter(seconds, reason):
                    attempts = 1 if _went_forward(reply) else self._attempts + 1
                    wait = self._jitter(attempts) if seconds is None else seconds
                    at = now + _us(wait)
                    postpone_lane(conn, taken, at, attempts, reason)
                    return self._waits(at)

    def _postpone(self, seconds: float, attempts: int, reason: str) -> Stopped:
        at = self._deps.now() + _us(seconds)
        with writing(self._deps.engine) as conn:
            postpone_lane(conn, self._hand(conn), at, attempts, reason)
        return self._waits(at)

    def _waits(self, at: int) -> Stopped:
        self.report = replace(self.report, next_attempt_at=at)
        return "waiting"

    def _jitter(self, attempts: int) -> float:
        return full_jitter(attempts - 1, self._deps.rng)

    def _count(self, reply: Reply) -> None:
        self.report = replace(
            self.report,
            sent=self.report.sent + sum(isinstance(one, Sent) for one in reply.outcomes),
            rejected=self.report.rejected + sum(isinstance(one, Rejected) for one in reply.outcomes),
            calls=self.report.calls + len(reply.calls),
        )


def _in_words(error: Exception) -> str:
    """What is wrong with the settings says itself what to do; of a fault its kind is all that may be told."""
    return str(error) if isinstance(error, Misconfigured) else f"our own fault: {type(error).__name__}"


def _at_once(line: Line, priority: int) -> int:
    most = line.destination.max_items
    return most if priority == LIVE else min(most, GIVING_WAY_AT_ONCE)


def _went_forward(reply: Reply) -> bool:
    """Whether anything was settled: then the failures before it no longer count."""
    return any(isinstance(one, Sent | Rejected) for one in reply.outcomes)


def _tell(line: Line, reply: Reply) -> None:
    """Let the account's budget know how it went. A named time is everybody's; only a 429 is about the rate."""
    stop = stop_in(reply)
    if stop is None:
        line.budget.succeeded()
    elif isinstance(stop, RetryAfter) and reply.calls and reply.calls[-1].status == _THROTTLED:
        line.budget.pause(stop.seconds)
    elif isinstance(stop, RetryAfter) and stop.seconds:
        line.budget.rest(stop.seconds)


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)
