"""What Klaviyo would refuse is refused here, with the reason; what is too long is cut."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.messages import Rejected
from pipeline.destinations.klaviyo.events import MAX_LEVELS, MAX_PROPERTIES, build_event
from pipeline.destinations.klaviyo.profiles import build_profile
from tests.contracts.messages import AT, event, person, profile

NO_PERSON = replace(person(1), customer_id=None, email=None)


def build(message):
    return build_event(message, AT + 60.0, has_klaviyo_names=False)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (event(1, NO_PERSON), "no_identifier"),
        (event(1, person(1), name=" "), "event_name_missing"),
        (event(1, person(1), **{str(number): number for number in range(MAX_PROPERTIES + 1)}), "too_large"),
    ],
    ids=["no person", "no name", "too many properties"],
)
def test_an_event_that_cannot_be_sent_says_why(message, reason):
    found = build(message)

    assert isinstance(found, Rejected)
    assert found.reason == reason


def test_a_profile_of_no_person_says_why():
    found = build_profile(profile(1, NO_PERSON))

    assert isinstance(found, Rejected)
    assert found.reason == "no_identifier"


def test_what_is_nested_too_deeply_becomes_text():
    deep: object = "end"
    for _ in range(MAX_LEVELS + 2):
        deep = {"a": deep, "b": ["c", 1]}

    found = build(event(1, person(1), deep=deep))

    level, properties = 0, found["properties"]["deep"]
    while isinstance(properties, dict):
        level, properties = level + 1, properties["a"]
    assert level <= MAX_LEVELS
    assert isinstance(properties, str)
    assert properties != "end"
