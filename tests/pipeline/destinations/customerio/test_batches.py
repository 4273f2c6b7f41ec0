from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.messages import Message
from pipeline.destinations.customerio.batches import batch_body, plan_round, split_into_calls
from pipeline.destinations.customerio.items import Item, build_item
from pipeline.destinations.customerio.limits import MAX_CALL_BYTES, MAX_CALL_ITEMS
from tests.contracts.messages import event, person, profile


def items_of(messages: Sequence[Message]) -> list[Item]:
    made = [build_item(place, message, has_profile=message.has_profile) for place, message in enumerate(messages)]
    return [one for one in made if isinstance(one, Item)]


def make_item(size: int) -> Item:
    return Item(0, profile(1, person(1)), b"x" * size)


def places(items: Sequence[Item]) -> list[int]:
    return [item.position for item in items]


def test_items_of_people_who_have_a_profile_share_a_round():
    alice, bob = person(1), person(2)
    items = items_of([profile(1, alice), event(2, alice), event(3, bob), profile(4, bob)])

    plan = plan_round(items, {1, 2})

    assert (places(plan.batched), plan.deferred) == ([0, 1, 2, 3], [])


def test_the_first_event_of_a_new_person_waits_for_their_profile():
    alice, bob = person(1), person(2)
    items = items_of([profile(1, alice), event(2, alice), profile(3, alice), event(4, bob)])

    plan = plan_round(items, {2})

    assert (places(plan.batched), places(plan.deferred)) == ([0, 3], [1, 2])


def test_two_first_profiles_share_a_round():
    items = items_of([profile(1, person(1)), profile(2, person(1))])

    assert places(plan_round(items, set()).batched) == [0, 1]


def test_an_event_of_a_stranger_with_no_profile_before_it_does_not_leave():
    items = items_of([event(1, person(1)), profile(2, person(1))])

    plan = plan_round(items, set())

    assert (places(plan.without_profile), places(plan.batched)) == ([0], [1])


def test_a_long_event_leaves_after_the_batch_and_holds_back_what_follows():
    alice, bob = person(1), person(2)
    long = "x" * 40_000
    items = items_of(
        [event(1, alice), event(2, alice, note=long), event(3, alice), event(4, bob), event(5, bob, n=long)]
    )

    plan = plan_round(items, {1, 2})

    assert (places(plan.batched), places(plan.single), places(plan.deferred)) == ([0, 3], [1, 4], [2])


def test_long_events_of_one_person_follow_each_other():
    items = items_of([event(n, person(1), note="x" * 40_000) for n in (1, 2)])

    assert places(plan_round(items, {1}).single) == [0, 1]


def test_a_long_event_of_a_new_person_waits_for_their_profile():
    items = items_of([profile(1, person(1)), event(2, person(1), note="x" * 40_000)])

    plan = plan_round(items, set())

    assert (places(plan.batched), places(plan.single), places(plan.deferred)) == ([0], [], [1])


def test_a_call_has_no_more_items_than_it_may():
    items = items_of([event(n, person(1)) for n in range(MAX_CALL_ITEMS + 1)])

    assert [len(call) for call in split_into_calls(items)] == [MAX_CALL_ITEMS, 1]


@given(st.lists(st.integers(min_value=1, max_value=31_000), max_size=60))
def test_calls_keep_the_order_and_the_bytes(lengths: list[int]):
    items = items_of([event(n, person(1), note="x" * length) for n, length in enumerate(lengths, 1)])

    calls = list(split_into_calls(items))

    assert [item for call in calls for item in call] == items
    for call in calls:
        body = batch_body([item.body for item in call])
        assert len(body) <= MAX_CALL_BYTES
        assert len(json.loads(body)["batch"]) == len(call)
    joined = [len(batch_body([item.body for item in [*call, following[0]]])) for call, following in pairwise(calls)]
    assert all(length >= MAX_CALL_BYTES for length in joined)  # no call ends early


_MESSAGES = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["profile", "event", "long"])), max_size=30)


@given(_MESSAGES, st.sets(st.integers(1, 4)))
def test_rounds_lose_no_message_and_keep_the_order(messages_sent: list[tuple[int, str]], known: set[int]):
    items = items_of(
        [
            profile(n, person(who))
            if what == "profile"
            else event(n, person(who), note="x" * (40_000 * (what == "long")))
            for n, (who, what) in enumerate(messages_sent)
        ]
    )
    left: list[Item] = []
    waiting, profiled = items, set(known)
    while waiting:
        plan = plan_round(waiting, profiled)
        assert all(
            item.message.person.id in profiled or item.message.kind == "profile" for item in plan.batched + plan.single
        )
        profiled |= {item.message.person.id for item in plan.batched if item.message.kind == "profile"}
        left += plan.without_profile + plan.batched + plan.single
        assert len(plan.deferred) < len(waiting)
        waiting = plan.deferred

    assert sorted(places(left)) == places(items)
    for who in range(1, 5):
        sent = [item.position for item in left if item.message.person.id == who]
        assert sent == sorted(sent)


@pytest.mark.parametrize(("surplus", "calls"), [(0, [3]), (1, [2, 1])])
def test_a_call_is_as_long_as_it_may_be_and_no_longer(surplus, calls):
    """The last item takes no comma, but is counted as if it did: one byte is left unused."""
    room = MAX_CALL_BYTES - len(batch_body([])) - 3
    items = [make_item(room // 3), make_item(room // 3), make_item(room - 2 * (room // 3) + surplus)]

    assert [len(call) for call in split_into_calls(items)] == calls


def test_the_bytes_of_one_call_do_not_count_in_the_next():
    half = (MAX_CALL_BYTES - len(batch_body([]))) // 2 - 1

    assert [len(call) for call in split_into_calls([make_item(half)] * 5)] == [2, 2, 1]
