"""One lane in a run: what was seen and claimed of it, what its platform answered, and what follows for the lane."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from random import Random

from pipeline.core.backoff import full_jitter
from pipeline.core.errors import Misconfigured
from pipeline.core.messages import LIVE_PRIORITY, ConnectionBroken, Message, Rejected, Reply, RetryAfter, Sent
from pipeline.delivery.metrics import find_stop
from pipeline.delivery.open_connection import LaneReport, OpenConnection, StopReason
from pipeline.delivery.send_in_order import send_in_order
from pipeline.infra import redis_keys
from pipeline.ledger.connections import ConnectionRow
from pipeline.ledger.deliveries import Claims, HeldLane, LaneClaim, LaneId, LaneState, LaneWait, Settled, Settlement
from pipeline.mapping.rules import apply_to_all

MAX_BACKFILL_BATCH = 50  # messages: a live message waits for no longer than these take
BUDGET_REASON = "waits for the account's rate budget"
BUSY_REASON, BUSY_S = "waits for another send of the same user to end", 0.5
_TOO_MANY_REQUESTS = 429
_US_PER_SECOND = 1_000_000


class LaneRun:
    """The state of one lane's run. `stopped`: why it has stopped; None: it goes on."""

    def __init__(self, lane_id: LaneId, rng: Random) -> None:
        self.id = lane_id
        self.key = redis_keys.lane_lease(*lane_id)
        self.held: HeldLane | None = None  # set with the first write
        self.attempts = 0  # consecutive failures
        self.priority: int | None = None  # of the next message, as last read; None: there is none
        self.messages: list[Message] = []  # claimed, and not settled
        self.reply: Reply | None = None
        self.error: Exception | None = None
        self.stopped: StopReason | None = None
        self.report = LaneReport("empty")
        self._rng = rng
        self._token = 0  # the newest holder's, when the lane was read
        self._may_have_more = False  # than what was claimed
        self._is_clear = False  # whether the lane's row is known to hold no failure
        self._extra_calls = 0  # calls of the last send beyond the one that the budget was asked for
        self._connection: OpenConnection | None = None

    @property
    def connection(self) -> OpenConnection:
        """The opened connection. To be asked for only after `open`."""
        if self._connection is None:
            raise RuntimeError("the lane's connection is not open")
        return self._connection

    @property
    def token(self) -> int:
        """The lane's newest token, as it was read or taken."""
        return self._token if self.held is None else self.held.token

    def look(self, seen: LaneState, now: int) -> None:
        """Begin with what was read of the lane; stops it if there is nothing to send, or not yet."""
        self.held, self._connection, self.stopped = None, None, None
        self.priority, self.attempts, self._token = seen.priority, seen.attempts, seen.token
        self._is_clear = seen.attempts == seen.next_attempt_at == 0
        if seen.priority is None:
            self.stopped = "empty"
        elif seen.next_attempt_at > now:
            self.wait_until(seen.next_attempt_at)

    def open(self, open_connection: Callable[[ConnectionRow], OpenConnection], row: ConnectionRow | None) -> None:
        """Open its connection. An error is kept in `error`."""
        if row is None:
            self.error = Misconfigured(f"connection {self.id[0]} is gone")
            return
        try:
            self._connection = open_connection(row)
        except Exception as error:  # noqa: BLE001 it is raised when the other lanes are done
            self.error = error

    @property
    def cost(self) -> int:
        """How many calls to ask the budget for: the send's, and those that the last send was not asked for."""
        return 1 + self._extra_calls

    def gives_way(self) -> bool:
        """Return whether only backfill messages are left and their share of the rate is used up."""
        return self.priority != LIVE_PRIORITY and self.connection.backfill_budget.acquire() > 0

    def build_claim(self, most: int) -> LaneClaim:
        """What to claim for the next send, at most so many messages."""
        priority = LIVE_PRIORITY if self.priority is None else self.priority
        limit = min(most, self.connection.destination.max_items)
        limit = limit if priority == LIVE_PRIORITY else min(limit, MAX_BACKFILL_BATCH)
        return LaneClaim(*self.id, self.token, is_held=self.held is not None, limit=limit, priority=priority)

    def send(self, around_call: Callable[[], AbstractContextManager[None]]) -> None:
        """Make the send. The answer is kept in `reply`, an error in `error`."""
        self.reply = None
        try:
            with around_call(), self.connection.take_slot() as is_free:
                messages = apply_to_all(self.connection.mapping, self.messages)
                if is_free:
                    self.reply = send_in_order(self.connection.destination, messages)
                else:
                    self.reply = Reply((RetryAfter(BUSY_S, BUSY_REASON),) * len(messages))
        except Exception as error:  # noqa: BLE001 it is raised when the other lanes are done
            self.error = error

    def check_answer(self) -> None:
        """Note an error if its last send has ended with neither an answer nor an error, as with its thread."""
        if self.reply is None and self.error is None:
            self.error = RuntimeError("a send has ended without an answer")

    def get_reply(self) -> Reply:
        """The answer to its last send. To be asked for only if there is one."""
        if self.reply is None:
            raise RuntimeError("the lane's send has no answer")
        return self.reply

    def note_claimed(self, claims: Claims) -> None:
        """Go on with what was claimed; stops the lane if that is nothing."""
        self.held = claims.held.get(self.id, self.held)
        self.messages, self._may_have_more = claims.messages.get(self.id, []), self.id in claims.full
        if self.id in claims.lost:
            self.stopped = "lost"
        elif not self.messages:
            self.stopped = "empty"  # the connection has been paused since it was read, or all are withheld

    def build_settlement(self, now: int) -> Settlement:
        """What the answer means for the messages and for the lane; counts it in the report."""
        reply = self.get_reply()
        if self.held is None:
            raise RuntimeError("a lane that is not held cannot be settled")
        self.report = replace(
            self.report,
            sent=self.report.sent + sum(isinstance(outcome, Sent) for outcome in reply.outcomes),
            rejected=self.report.rejected + sum(isinstance(outcome, Rejected) for outcome in reply.outcomes),
            calls=self.report.calls + len(reply.calls),
        )
        ids = (message.delivery_id for message in self.messages)
        outcomes = list(zip(ids, reply.outcomes, strict=True))
        return Settlement(self.held, outcomes, reply.calls, self._find_wait(reply, now), self._may_have_more)

    def note_settled(self, settlement: Settlement, settled: Settled) -> bool:
        """Go on from what was settled. Returns whether it was: another holder may have taken the lane."""
        if self.id in settled.lost:
            self.stopped = "lost"
            return False
        reply = self.get_reply()
        self._extra_calls = max(0, len(reply.calls) - 1)
        self.priority = settled.next_priority.get(self.id)
        match find_stop(reply):
            case None:
                self._is_clear, self.attempts = True, 0
                self.stopped = "empty" if self.priority is None else None
            case ConnectionBroken():
                self.stopped = "paused"
            case RetryAfter():
                self.wait_until(settlement.wait.next_attempt_at if settlement.wait else 0)
        return True

    def _find_wait(self, reply: Reply, now: int) -> LaneWait | None:
        match find_stop(reply):
            case None:
                return None if self._is_clear else LaneWait()
            case ConnectionBroken():
                return None
            case RetryAfter(seconds, reason):
                attempts = 1 if _made_progress(reply) else self.attempts + 1
                wait = self.jitter(attempts) if seconds is None else seconds
                return LaneWait(now + to_us(wait), attempts, reason)

    def wait_until(self, at: int) -> None:
        """Stop: the lane waits until this time (µs)."""
        self.report = replace(self.report, next_attempt_at=at)
        self.stopped = "waiting"

    def jitter(self, attempts: int) -> float:
        """The seconds to wait after so many failures in a row."""
        return full_jitter(attempts - 1, self._rng)

    def update_budget(self, reply: Reply) -> None:
        """Report the send to its budget. A Retry-After holds off all processes, only a 429 lowers the rate."""
        stop = find_stop(reply)
        if stop is None:
            self.connection.budget.record_success()
        elif isinstance(stop, RetryAfter) and reply.calls and reply.calls[-1].status == _TOO_MANY_REQUESTS:
            self.connection.budget.pause(stop.seconds)
        elif isinstance(stop, RetryAfter) and stop.seconds:
            self.connection.budget.hold_off(stop.seconds)

    def build_report(self) -> LaneReport | Exception:
        """What the run did and why it stopped, or the error that ended it."""
        return self.error or replace(self.report, stopped=self.stopped or "deadline")


def describe_error(error: Exception) -> str:
    """Return the text of a Misconfigured error, which says what to do. Other texts may quote data: only the type."""
    return str(error) if isinstance(error, Misconfigured) else f"our own fault: {type(error).__name__}"


def to_us(seconds: float) -> int:
    """Seconds in µs."""
    return round(seconds * _US_PER_SECOND)


def _made_progress(reply: Reply) -> bool:
    """Return whether anything was settled; if so, the failures before it no longer count."""
    return any(isinstance(outcome, Sent | Rejected) for outcome in reply.outcomes)
