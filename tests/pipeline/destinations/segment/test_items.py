"""What Segment is sent about a person and an event."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline.core.messages import PersonRef, Rejected
from pipeline.destinations.segment.items import MAX_ITEM_BYTES, build_item, make_anonymous_id
from tests.contracts.messages import event, person, profile, ulid

ALICE, GUEST = person(1), person(3, customer=False)


def body(message, **more):
    return json.loads(build_item(0, message, **{"has_profile": True, **more}).body)


def test_an_event_is_a_track_with_its_own_message_id_and_time():
    assert body(event(7, ALICE, "order_new", total=3900)) == {
        "type": "track",
        "event": "order_new",
        "messageId": ulid("7"),
        "userId": "cj_7001",
        "timestamp": "2026-03-02T16:46:40Z",
        "properties": {"total": 3900},
    }


def test_a_customer_is_identified_by_both_ids_and_by_the_address():
    found = body(replace(profile(8, ALICE, plan="Small"), written_at=255))

    assert (found["userId"], found["anonymousId"]) == ("cj_7001", make_anonymous_id("person-1@example.com"))
    assert found["traits"] == {"email": "person-1@example.com", "plan": "Small"}
    assert found["messageId"] == "profile-ff-8"


def test_a_person_known_by_address_alone_is_anonymous():
    found = body(event(7, GUEST))

    assert "userId" not in found
    assert found["anonymousId"] == make_anonymous_id("person-3@example.com")


def test_a_trait_is_cleared_only_where_there_is_a_profile():
    message = profile(8, ALICE, plan=None)

    assert "plan" in body(message)["traits"]
    assert "plan" not in body(message, has_profile=False)["traits"]


def test_a_number_that_json_has_no_text_for_is_null():
    assert body(event(7, ALICE, total=float("nan")))["properties"] == {"total": None}


def test_texts_are_cut_until_the_item_fits():
    item = build_item(0, event(7, ALICE, note="x" * 40_000), has_profile=True)

    assert len(item.body) <= MAX_ITEM_BYTES
    assert item.notes == ("cut:texts over 10000 bytes",)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (event(1, PersonRef(1, None, None)), "no_identifier"),
        (event(1, ALICE, " "), "event_name_missing"),
        (event(1, ALICE, **{str(number): "x" * 80 for number in range(2_000)}), "too_large"),
    ],
)
def test_what_could_not_be_used_is_rejected(message, reason):
    built = build_item(0, message, has_profile=True)

    assert isinstance(built, Rejected)
    assert built.reason == reason


def test_an_order_gets_the_name_and_the_properties_of_the_e_commerce_specification():
    found = body(event(7, ALICE, "order_new", id=9001, total=3950, currency="USD"), is_ecommerce=True)

    assert found["event"] == "Order Completed"
    assert found["properties"] == {
        "id": 9001, "total": 3950, "currency": "USD", "order_id": "9001", "revenue": 39.5,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "named"), [("shipment_shipped", "Order Shipped"), ("label_new", "label_new")])
def test_an_event_without_a_name_there_keeps_its_own(name, named):
    found = body(event(7, ALICE, name, id=5), is_ecommerce=True)

    assert (found["event"], found["properties"]) == (named, {"id": 5})
