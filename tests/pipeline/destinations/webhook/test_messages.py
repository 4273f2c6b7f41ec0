"""What a signed web hook carries, and under which id."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline.core.messages import Identifiers, PersonRef, Rejected
from pipeline.destinations.webhook.messages import MAX_BODY_BYTES, build_forget, build_message, build_test
from tests.contracts.messages import event, person, profile, ulid

ALICE, GUEST = person(1), person(3, customer=False)


def body(built):
    return json.loads(built.body)


def test_an_event_has_its_name_its_time_its_person_and_its_properties():
    built = build_message(event(7, ALICE, "order_new", total=3900))

    assert (built.id, built.type) == (ulid("7"), "event.order_new")
    assert body(built) == {
        "type": "event.order_new",
        "timestamp": "2026-03-02T16:46:40Z",
        "data": {
            "person": {"customer_id": 7001, "email": "person-1@example.com"},
            "event": "order_new",
            "properties": {"total": 3900},
        },
    }


def test_a_profile_has_its_attributes_and_an_id_of_its_own():
    built = build_message(profile(8, GUEST, plan=None))

    assert (built.id, built.type) == ("profile_8", "profile.updated")
    assert body(built)["data"] == {"person": {"email": "person-3@example.com"}, "attributes": {"plan": None}}


def test_a_type_holds_only_the_characters_that_a_type_may_hold():
    built = build_message(event(7, ALICE, "Order: gemütlich!"))

    assert (built.type, body(built)["data"]["event"]) == ("event.Order_gem_tlich_", "Order: gemütlich!")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (event(1, PersonRef(1, None, None)), "no_identifier"),
        (event(1, ALICE, " "), "event_name_missing"),
        (event(1, ALICE, note="x" * MAX_BODY_BYTES), "too_large"),
    ],
)
def test_what_no_receiver_could_use_is_rejected(message, reason):
    built = build_message(message)

    assert isinstance(built, Rejected)
    assert built.reason == reason


def test_an_event_without_an_id_is_named_by_its_delivery():
    assert build_message(replace(event(7, ALICE), message_id=None)).id == "event_7"


def test_a_request_to_forget_names_every_identifier():
    built = build_forget(Identifiers((1, 2), ("a@example.com",), 1_772_470_000), "delete")

    assert body(built) == {
        "type": "person.delete",
        "timestamp": "2026-03-02T16:46:40Z",
        "data": {"identifiers": [{"customer_id": 1}, {"customer_id": 2}, {"email": "a@example.com"}]},
    }


def test_every_try_of_one_request_to_forget_has_one_id_which_names_no_person():
    asked = Identifiers((), ("a@example.com",), 1_772_470_000)

    assert build_forget(asked, "delete").id == build_forget(asked, "delete").id
    assert "example" not in build_forget(asked, "delete").id


@pytest.mark.parametrize(
    "other",
    [Identifiers((), ("a@example.com",), 1_772_470_001), Identifiers((), ("b@example.com",), 1_772_470_000)],
)
def test_another_request_to_forget_has_another_id(other):
    asked = Identifiers((), ("a@example.com",), 1_772_470_000)

    assert build_forget(asked, "delete").id != build_forget(other, "delete").id
    assert build_forget(asked, "delete").id != build_forget(asked, "suppress").id


def test_no_identifier_makes_no_request_to_forget():
    assert build_forget(Identifiers(), "delete") is None


def test_ids_have_no_dots_which_separate_what_is_signed():
    built = [build_message(event(7, ALICE)), build_message(profile(8, ALICE)), build_test(1)]
    built.append(build_forget(Identifiers((1,)), "suppress"))

    assert not any("." in one.id for one in built)
