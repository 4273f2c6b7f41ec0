"""Sends a batch of messages to Customer.io and determines the outcome of each."""

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

MAX_SPLITS = 20  # of refused calls in one send: enough to find two bad items; the rest waits for the next send
MAX_CALLS = 100  # in one send: the lane checks its deadline only between sends
MAX_SEND_S = 45  # of calls in one send that has settled something: no other worker can take the lane meanwhile
_US_PER_SECOND = 1_000_000
_PROFILE_REFUSED = Rejected("profile_refused", "Customer.io has no profile of this person")


def send(track: TrackClient, messages: Sequence[Message], *, unsubscribes_refusers: bool = False) -> Reply:
    """Return one outcome per message, in their order."""
    return _Send(track, messages, unsubscribes_refusers=unsubscribes_refusers).run()


class _Send:
    """The state of one send: the outcomes so far, and whether it must stop."""

    def __init__(self, track: TrackClient, messages: Sequence[Message], *, unsubscribes_refusers: bool) -> None:
        self._unsubscribes_refusers = unsubscribes_refusers
        self._track = track
        self._messages = messages
        self._outcomes: dict[int, Outcome] = {}
        self._calls: list[CallRecord] = []
        self._with_profile = {message.person.id for message in messages if message.has_profile}
        self._stop: RetryAfter | ConnectionBroken | None = None
        self._splits_left = MAX_SPLITS

    def run(self) -> Reply:
        waiting = self._build_items()
        while waiting and self._stop is None:
            plan = plan_round(waiting, self._with_profile)
            self._outcomes |= {item.position: _PROFILE_REFUSED for item in plan.without_profile}
            for call in split_into_calls(plan.batched):
                self._send_batch(call)
            for item in plan.single:
                self._send_single(item)
            waiting = plan.deferred
        outcomes = (self._outcomes.get(position) or self._stop for position in range(len(self._messages)))
        return Reply(tuple(outcome for outcome in outcomes if outcome is not None), tuple(self._calls))

    def _build_items(self) -> list[Item]:
        """Return the items that can be sent. A second profile in this send may clear what the first one sets."""
        items, with_profile = [], set(self._with_profile)
        for position, message in enumerate(self._messages):
            item = build_item(
                position,
                message,
                has_profile=message.person.id in with_profile,
                unsubscribes_refusers=self._unsubscribes_refusers,
            )
            if isinstance(item, Item):
                items.append(item)
            else:
                self._outcomes[position] = item
            if message.kind == "profile":
                with_profile.add(message.person.id)
        return items

    def _send_batch(self, items: list[Item]) -> None:
        if not self._may_call_again():
            return
        response, record = self._track.batch(items)
        self._calls.append(record)
        if response.status == MULTI_STATUS:
            refused = parse_refused_items(response, len(items))
            if refused is None:
                self._settle(items, RetryAfter(None, "answered 207 with an unreadable list of refused items"))
                return
            for index, item in enumerate(items):
                self._settle([item], refused.get(index, Sent()))
            return
        outcome = parse_batch_outcome(response)
        if isinstance(outcome, Rejected) and len(items) > 1 and may_split(response):
            self._split(items)
        else:
            self._settle(items, outcome)

    def _split(self, items: list[Item]) -> None:
        """Halve a refused call until only the bad items are left: the platform does not say which they are."""
        if self._splits_left == 0:
            self._settle(items, RetryAfter(None, "too many refused calls in one send"))
            return
        self._splits_left -= 1
        middle = len(items) // 2
        self._send_batch(items[:middle])
        self._send_batch(items[middle:])

    def _send_single(self, item: Item) -> None:
        if item.own_endpoint is not None and self._may_call_again():
            response, record = self._track.single(item, item.own_endpoint)
            self._calls.append(record)
            self._settle([item], parse_outcome(response))

    def _may_call_again(self) -> bool:
        """Return whether this send may make another call."""
        elapsed_us = sum(call.duration_us for call in self._calls)
        if self._stop is None and (
            len(self._calls) == MAX_CALLS or (self._outcomes and elapsed_us >= MAX_SEND_S * _US_PER_SECOND)
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
                self._with_profile.add(item.message.person.id)
