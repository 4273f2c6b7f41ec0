"""Hands claimed messages to a destination in their order, among them the requests to forget a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from pipeline.core.messages import (
    CallRecord,
    ConnectionBroken,
    Identifiers,
    Message,
    Outcome,
    Rejected,
    Reply,
    RetryAfter,
)
from pipeline.destinations.base import Destination

MAX_PART_S = 45  # of calls before a further part begins: no other worker can take the lane meanwhile
_US_PER_SECOND = 1_000_000


def send_in_order(destination: Destination, messages: Sequence[Message]) -> Reply:
    """Send the messages and return one outcome per message.

    A request to forget leaves after the messages before it and before those after it: whatever is sent out of order
    would bring the person back. After the first part that stops the lane nothing more is sent.
    """
    if not any(message.kind == "forget" for message in messages):  # nearly always
        return destination.send(messages)
    outcomes: list[Outcome] = []
    calls: list[CallRecord] = []
    for part in _split(messages):
        reply = _forget(destination, part[0]) if part[0].kind == "forget" else destination.send(part)
        first = len(outcomes)
        calls += (_move(call, first, len(part)) for call in reply.calls)
        outcomes += reply.outcomes
        stop = next((one for one in reply.outcomes if isinstance(one, RetryAfter | ConnectionBroken)), None)
        if stop is None and sum(call.duration_us for call in calls) >= MAX_PART_S * _US_PER_SECOND:
            stop = RetryAfter(0.0, "more calls than one send makes")
        if stop is not None:
            return Reply((*outcomes, *[stop] * (len(messages) - len(outcomes))), tuple(calls))
    return Reply(tuple(outcomes), tuple(calls))


def _split(messages: Sequence[Message]) -> list[list[Message]]:
    """Runs of profiles and events, and every request to forget by itself."""
    runs = groupby(enumerate(messages), key=lambda pair: pair[0] if pair[1].kind == "forget" else -1)
    return [[message for _, message in run] for _, run in runs]


def _forget(destination: Destination, message: Message) -> Reply:
    mode = message.data["mode"]
    if mode not in destination.forget_modes:
        return Reply((Rejected("cannot_forget", f"{destination.title} has no way to {mode} a person"),))
    identifiers = Identifiers(tuple(message.data["customer_ids"]), tuple(message.data["emails"]), message.at)
    return destination.forget(identifiers, mode)


def _move(call: CallRecord, first: int, length: int) -> CallRecord:
    """Name the messages of a call by their places among all messages."""
    positions = call.message_positions or range(length)
    return replace(call, message_positions=tuple(first + position for position in positions))
