"""Sends a batch of messages and determines the outcome of each.

A status of 200 says that a call was received, not that it was used: a wrong key, and what is over a limit, are answered
with 200 too (Segment docs, HTTP API). So everything is kept within the limits here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pipeline.core.messages import CallRecord, ConnectionBroken, Message, Outcome, Rejected, Reply, RetryAfter
from pipeline.destinations.outcomes import build_call_record
from pipeline.destinations.rounds import split_rounds
from pipeline.destinations.segment.items import Item, build_item
from pipeline.destinations.segment.responses import parse_outcome
from pipeline.infra.http.client import HTTPResponse

MAX_CALL_ITEMS = 500  # Segment takes 2,500, and drops the rest with status 200
MAX_CALL_BYTES = 450_000  # the documented limit is 500 kB
MAX_SPLITS = 20  # of refused calls in one send; the rest waits for the next send
MAX_SEND_S = 45  # of calls in one send: no other worker can take the lane meanwhile
BATCH_PATH = "/batch"
_OPEN, _CLOSE = b'{"batch":[', b"]}"
_US_PER_SECOND = 1_000_000

Call = Callable[[bytes], HTTPResponse]  # the body of a batch -> the response


def send(call: Call, messages: Sequence[Message], *, is_ecommerce: bool) -> Reply:
    """Return one outcome per message, in their order."""
    return _Send(call, messages, is_ecommerce=is_ecommerce).run()


def batch_body(items: Sequence[bytes]) -> bytes:
    """Return the body of one batch."""
    return _OPEN + b",".join(items) + _CLOSE


class _Send:
    """The state of one send: the outcomes so far, and whether it must stop."""

    def __init__(self, call: Call, messages: Sequence[Message], *, is_ecommerce: bool) -> None:
        self._call = call
        self._messages = messages
        self._is_ecommerce = is_ecommerce
        self._outcomes: dict[int, Outcome] = {}
        self._calls: list[CallRecord] = []
        self._stop: RetryAfter | ConnectionBroken | None = None
        self._splits_left = MAX_SPLITS

    def run(self) -> Reply:
        for items in split_rounds(self._build_items()):
            for part in split_into_calls(items):
                self._send(part)
        outcomes = (self._outcomes.get(position) or self._stop for position in range(len(self._messages)))
        return Reply(tuple(outcome for outcome in outcomes if outcome is not None), tuple(self._calls))

    def _build_items(self) -> list[Item]:
        items, with_profile = [], {message.person.id for message in self._messages if message.has_profile}
        for position, message in enumerate(self._messages):
            is_known = message.person.id in with_profile
            built = build_item(position, message, has_profile=is_known, is_ecommerce=self._is_ecommerce)
            if isinstance(built, Rejected):
                self._outcomes[position] = built
            else:
                items.append(built)
            if message.kind == "profile":
                with_profile.add(message.person.id)
        return items

    def _send(self, items: list[Item]) -> None:
        if sum(call.duration_us for call in self._calls) >= MAX_SEND_S * _US_PER_SECOND:
            self._stop = self._stop or RetryAfter(0.0, "more calls than one send makes")
        if self._stop is not None:
            return
        response = self._call(batch_body([item.body for item in items]))
        self._calls.append(build_call_record("POST", BATCH_PATH, response, [item.position for item in items]))
        outcome = parse_outcome(response)
        if isinstance(outcome, RetryAfter | ConnectionBroken):
            self._stop = outcome
        elif isinstance(outcome, Rejected) and len(items) > 1:
            self._split(items)
        else:
            for item in items:
                self._outcomes[item.position] = replace(outcome, notes=item.notes) if item.notes else outcome

    def _split(self, items: list[Item]) -> None:
        """Halve a refused call until only the bad items are left: the answer does not say which they are."""
        if self._splits_left == 0:
            self._stop = RetryAfter(None, "too many refused calls in one send")
            return
        self._splits_left -= 1
        middle = len(items) // 2
        self._send(items[:middle])
        self._send(items[middle:])


def split_into_calls(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Split the items into calls, in order, each within the number of items and bytes that a call may have."""
    call: list[Item] = []
    size = len(_OPEN) + len(_CLOSE)
    for item in items:
        needed = len(item.body) + 1  # and a comma
        if call and (len(call) == MAX_CALL_ITEMS or size + needed > MAX_CALL_BYTES):
            yield call
            call, size = [], len(_OPEN) + len(_CLOSE)
        call.append(item)
        size += needed
    if call:
        yield call
