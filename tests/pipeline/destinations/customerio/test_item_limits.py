"""The limits of a message: each at its last value, and what is said beyond it."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.core.messages import Message, PersonRef, Rejected
from pipeline.destinations.customerio import limits
from pipeline.destinations.customerio.items import Item, build_item
from tests.contracts.messages import event, person, profile

ALICE = person(1)


def made(message: Message) -> Item:
    item = build_item(0, message, has_profile=True)
    assert isinstance(item, Item)
    return item


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            profile(1, PersonRef(1, None, None)),
            Rejected("no_identifier", "neither a customer id nor an e-mail address is known"),
        ),
        (
            profile(1, PersonRef(1, None, "a" * 139 + "@example.com")),
            Rejected("identifier_too_long", "email: more than 150 bytes"),
        ),
        (profile(1, PersonRef(1, 10**147, None)), Rejected("identifier_too_long", "id: more than 150 bytes")),
        (
            profile(1, PersonRef(1, 7001, "a" * 989 + "@example.com")),
            Rejected("email_too_long", "email: more than 1000 bytes"),
        ),
        (event(1, ALICE, None), Rejected("event_name_missing")),
        (event(1, ALICE, "  "), Rejected("event_name_missing")),
        (event(1, ALICE, "é" * 50 + "e"), Rejected("event_name_too_long", "more than 100 bytes")),
        (
            event(1, ALICE, numbers=list(range(50_000))),
            Rejected("too_large", "the event's data is too long, even with its texts cut"),
        ),
    ],
    ids=[
        *("no identifier", "long address", "long number", "long address beside an id"),
        *("no event name", "a blank event name", "long event name", "long data"),
    ],
)
def test_messages_that_could_never_be_accepted_are_rejected(message: Message, reason: Rejected):
    assert build_item(0, message, has_profile=True) == reason


@pytest.mark.parametrize(
    "who",
    [
        PersonRef(1, None, "a" * 138 + "@example.com"),
        PersonRef(1, 10**146, None),
        PersonRef(1, 7001, "a" * 988 + "@example.com"),
    ],
    ids=["address as identifier", "number as identifier", "address as attribute"],
)
def test_the_longest_identifiers_and_addresses_go_out(who: PersonRef):
    assert made(profile(1, who)).own_endpoint is None


@pytest.mark.parametrize("build", [profile, event])
def test_a_message_of_thirty_two_thousand_bytes_fits_a_batch_and_one_byte_more_does_not(build):
    def lengths(count: int) -> list[str]:
        return ["x" * 900] * 34 + ["x" * count]

    def item(count: int) -> Item:
        return made(build(1, ALICE, **{f"a{place:02}": text for place, text in enumerate(lengths(count))}))

    room = limits.MAX_ITEM_BYTES - len(item(1).body) + 1
    fitting, longer = item(room), item(room + 1)

    assert (len(fitting.body), fitting.own_endpoint) == (limits.MAX_ITEM_BYTES, None)
    assert longer.own_endpoint is not None


def test_an_identifier_is_one_segment_of_a_path_whatever_is_in_it():
    item = made(event(1, PersonRef(1, None, "a/b\ud800@example.com"), note="x" * 90_000))

    assert item.own_endpoint is not None
    assert item.own_endpoint.path == "/api/v1/customers/a%2Fb%3F%40example.com/events"


def test_an_event_nested_beyond_reason_is_refused():
    nested: dict[str, Any] = {}
    for _ in range(5000):
        nested = {"deeper": nested}

    rejected = build_item(0, event(1, ALICE, **nested), has_profile=True)
    assert rejected == Rejected("too_deep", "the data is nested too deeply")
