"""Sends messages in calls of their own, for platforms whose calls carry one message."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.core.messages import CallRecord, ConnectionBroken, Message, Outcome, Reply, RetryAfter

MAX_SEND_S = 45  # of calls in one send: no other worker can take the lane meanwhile
_US_PER_SECOND = 1_000_000

SendOne = Callable[[int, Message], tuple[Outcome, CallRecord | None]]  # position in the send, message


def send_one_by_one(messages: Sequence[Message], send_one: SendOne) -> Reply:
    """Send each message, in order, and return one outcome per message.

    After the first that must be sent later, or that breaks the connection, nothing more is sent: the remaining messages
    get the same outcome. The same ends a send whose calls take long.
    """
    outcomes: list[Outcome] = []
    calls: list[CallRecord] = []
    for position, message in enumerate(messages):
        if sum(call.duration_us for call in calls) >= MAX_SEND_S * _US_PER_SECOND:
            outcome: Outcome = RetryAfter(0.0, "more calls than one send makes")
        else:
            outcome, call = send_one(position, message)
            calls += [] if call is None else [call]
        if isinstance(outcome, RetryAfter | ConnectionBroken):
            return Reply((*outcomes, *[outcome] * (len(messages) - position)), tuple(calls))
        outcomes.append(outcome)
    return Reply(tuple(outcomes), tuple(calls))
