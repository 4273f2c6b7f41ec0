"""Sends a handful of messages to Customer.io and finds out what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.core.messages import CallRecord, ConnectionBroken, Message, Outcome, Rejected, Reply, RetryAfter, Sent
from pipeline.destinations.customerio.batches import plan_round, split_into_calls
from pipeline.destinations.customerio.client import TrackClient
from pipeline.destinations.customerio.items import Item, build_item
from pipeline.destinations.customerio.responses import (
    MULTI_STATUS,
    may_split,
    parse_batch_outcome,
    parse_outcome,
    parse_refused_items,
)

MAX_SPLITS = (
    20  # of refused calls in one send, so that it finds two culprits; what is left then waits for the next send
)
MAX_CALLS = 100  # in one send: the lane looks at its deadline only between two
MAX_SEND_S = 45  # of calls in one send that has settled something: nobody else can take the lane meanwhile
_US_PER_SECOND = 1_000_000
_PROFILE_REFUSED = Rejected("profile_refused", "Customer.io has no profile of this person")


def send(track: TrackClient, messages: Sequence[Message]) -> Reply:
    """One outcome per message, in their order."""
    return _Send(track, messages).run()


class _Send:
    """The state of one send: what is known so far, and whether something has told us to stop."""

    def __init__(self, track: TrackClient, messages: Sequence[Message]) -> None:
        self._track = track
        self._messages = messages
        self._outcomes: dict[int, Outcome] = {}
        self._calls: list[CallRecord] = []
        self._known = {one.person.id for one in messages if one.has_profile}
        self._stop: RetryAfter | ConnectionBroken | None = None
        self._splits_left = MAX_SPLITS

    def run(self) -> Reply:
        waiting = self._items()
        while waiting and self._stop is None:
            plan = plan_round(waiting, self._known)
            self._outcomes |= {item.position: _PROFILE_REFUSED for item in plan.without_profile}
            for call in split_into_calls(plan.batched):
                self._send_batch(call)
            for item in plan.alone:
                self._alone(item)
            waiting = plan.later
        outcomes = (self._outcomes.get(place) or self._stop for place in range(len(self._messages)))
        return Reply(tuple(one for one in outcomes if one is not None), tuple(self._calls))

    def _items(self) -> list[Item]:
        """Everything that can leave at all. A second profile may clear what the first one in this send set."""
        items, profiled = [], set(self._known)
        for position, message in enumerate(self._messages):
            made = build_item(position, message, has_profile=message.person.id in profiled)
            if isinstance(made, Item):
                items.append(made)
            else:
                self._outcomes[position] = made
            if message.kind == "profile":
                profiled.add(message.person.id)
        return items

    def _send_batch(self, items: list[Item]) -> None:
        if not self._may_call_again():
            return
        answer, record = self._track.batch(items)
        self._calls.append(record)
        if answer.status == MULTI_STATUS:
            refused = parse_refused_items(answer, len(items))
            if refused is None:
                self._settle(items, RetryAfter(None, "answered 207 with an unreadable list of refused items"))
                return
            for place, item in enumerate(items):
                self._settle([item], refused.get(place, Sent()))
            return
        outcome = parse_batch_outcome(answer)
        if isinstance(outcome, Rejected) and len(items) > 1 and may_split(answer):
            self._split(items)
        else:
            self._settle(items, outcome)

    def _split(self, items: list[Item]) -> None:
        """The platform took nothing and does not say which item it minds: halve until only the culprits are left."""
        if self._splits_left == 0:
            self._settle(items, RetryAfter(None, "too many refused calls in one send"))
            return
        self._splits_left -= 1
        middle = len(items) // 2
        self._send_batch(items[:middle])
        self._send_batch(items[middle:])

    def _alone(self, item: Item) -> None:
        if item.alone is not None and self._may_call_again():
            answer, record = self._track.single(item, item.alone)
            self._calls.append(record)
            self._settle([item], parse_outcome(answer))

    def _may_call_again(self) -> bool:
        """Whether there may be another call."""
        took = sum(call.duration_us for call in self._calls)
        if self._stop is None and (
            len(self._calls) == MAX_CALLS or (self._outcomes and took >= MAX_SEND_S * _US_PER_SECOND)
        ):
            self._stop = RetryAfter(0.0, "more calls than one send makes")
        return self._stop is None

    def _settle(self, items: Sequence[Item], outcome: Outcome) -> None:
        if isinstance(outcome, RetryAfter | ConnectionBroken):
            self._stop = outcome
            return
        for item in items:
            self._outcomes[item.position] = replace(outcome, notes=item.notes) if item.notes else outcome
            if isinstance(outcome, Sent) and item.message.kind == "profile":
                self._known.add(item.message.person.id)
