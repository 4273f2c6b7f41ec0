"""Plans what is sent together: rounds that keep each person's order, and calls within the limits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.destinations.customerio.items import Item
from pipeline.destinations.customerio.limits import MAX_CALL_BYTES, MAX_CALL_ITEMS

_OPEN, _CLOSE = b'{"batch":[', b"]}"


@dataclass(slots=True)
class Round:
    """One round: the batches are sent first, then the single calls. `deferred` waits for the round's outcome."""

    batched: list[Item] = field(default_factory=list)
    single: list[Item] = field(default_factory=list)
    deferred: list[Item] = field(default_factory=list)
    without_profile: list[Item] = field(default_factory=list)  # events of people without any profile


def plan_round(waiting: Sequence[Item], people_with_profile: Collection[int]) -> Round:
    """Plan as many items as possible without sending any before an earlier item of the same person.

    Customer.io does not say whether it applies a batch in order, and an event of an unknown person creates an empty
    profile. So a person's first profile and first event never share a call.
    """
    plan = Round()
    with_first_profile: set[int] = set()
    with_single: set[int] = set()  # people with a single call, which is sent after the batches
    with_deferred: set[int] = set()
    for item in waiting:
        person = item.message.person.id
        is_unknown = person not in people_with_profile
        if person in with_deferred:
            plan.deferred.append(item)
        elif item.message.kind == "event" and is_unknown and person not in with_first_profile:
            plan.without_profile.append(item)
        elif (item.message.kind == "event" and is_unknown) or (person in with_single and item.own_endpoint is None):
            with_deferred.add(person)
            plan.deferred.append(item)
        else:
            (plan.batched if item.own_endpoint is None else plan.single).append(item)
            with_first_profile.add(person)
            if item.own_endpoint is not None:
                with_single.add(person)
    return plan


def split_into_calls(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Split the items into calls, in order, each within the number of items and bytes that a call may have."""
    call: list[Item] = []
    size = _EMPTY_BODY_BYTES
    for item in items:
        needed = len(item.body) + 1  # and a comma
        if call and (len(call) == MAX_CALL_ITEMS or size + needed > MAX_CALL_BYTES):
            yield call
            call, size = [], _EMPTY_BODY_BYTES
        call.append(item)
        size += needed
    if call:
        yield call


def batch_body(operations: Sequence[bytes]) -> bytes:
    """Return the body of one batch call."""
    return _OPEN + b",".join(operations) + _CLOSE


_EMPTY_BODY_BYTES = len(_OPEN) + len(_CLOSE)
