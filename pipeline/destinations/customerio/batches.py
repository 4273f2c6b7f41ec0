"""Decides what may leave together: rounds that keep every person's order, and calls that keep the limits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.destinations.customerio.items import Item
from pipeline.destinations.customerio.limits import MAX_CALL_BYTES, MAX_CALL_ITEMS

_OPEN, _CLOSE = b'{"batch":[', b"]}"


@dataclass(slots=True)
class Round:
    """What leaves next: first the batches, then the calls with one item. `later` waits for the round's outcome."""

    batched: list[Item] = field(default_factory=list)
    alone: list[Item] = field(default_factory=list)
    later: list[Item] = field(default_factory=list)
    without_profile: list[Item] = field(default_factory=list)  # events of people no profile went before


def plan_round(waiting: Sequence[Item], people_with_profile: Collection[int]) -> Round:
    """As many items as possible without overtaking. `known` are the people who have a profile.

    Customer.io does not say whether it applies a batch in order, and an event of somebody unknown makes a bare
    profile. So a person's first profile and first event never share a call.
    """
    plan = Round()
    introducing: set[int] = set()
    singled: set[int] = set()  # people with a call of their own, which leaves after the batches
    held: set[int] = set()
    for item in waiting:
        person = item.message.person.id
        stranger = person not in people_with_profile
        if person in held:
            plan.later.append(item)
        elif item.message.kind == "event" and stranger and person not in introducing:
            plan.without_profile.append(item)
        elif (item.message.kind == "event" and stranger) or (person in singled and item.alone is None):
            held.add(person)
            plan.later.append(item)
        else:
            (plan.batched if item.alone is None else plan.alone).append(item)
            introducing.add(person)
            if item.alone is not None:
                singled.add(person)
    return plan


def split_into_calls(items: Sequence[Item]) -> Iterator[list[Item]]:
    """The items cut into calls, in order, each within the number and the bytes a call may have."""
    call: list[Item] = []
    used = _EMPTY_BODY_BYTES
    for item in items:
        needed = len(item.body) + 1  # and a comma
        if call and (len(call) == MAX_CALL_ITEMS or used + needed > MAX_CALL_BYTES):
            yield call
            call, used = [], _EMPTY_BODY_BYTES
        call.append(item)
        used += needed
    if call:
        yield call


def batch_body(items: Sequence[Item]) -> bytes:
    """The body of one batch call."""
    return _OPEN + b",".join(item.body for item in items) + _CLOSE


_EMPTY_BODY_BYTES = len(_OPEN) + len(_CLOSE)
