from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.messages import Message, PersonRef
from pipeline.destinations.customerio import limits
from pipeline.destinations.customerio.items import Item, build_item
from pipeline.destinations.json_text import byte_length
from tests.contracts.messages import AT, event, person, profile, ulid

ALICE = person(1)
GUEST = person(3, customer=False)


def made(message: Message, *, has_profile: bool = True) -> Item:
    item = build_item(0, message, has_profile=has_profile)
    assert isinstance(item, Item)
    return item


def body(message: Message, *, has_profile: bool = True) -> Any:
    return json.loads(made(message, has_profile=has_profile).body)


def test_a_customer_is_identified_by_id_with_the_address_among_the_attributes():
    assert body(profile(1, ALICE, plan="Sample Box", boxes=7)) == {
        "type": "person",
        "action": "identify",
        "identifiers": {"id": "cj_7001"},
        "timestamp": AT,
        "attributes": {"email": "person-1@example.com", "plan": "Sample Box", "boxes": 7},
    }


def test_a_person_known_only_by_address_is_identified_by_it():
    sent = body(profile(1, GUEST, gift_recipient=True))

    assert sent["identifiers"] == {"email": "person-3@example.com"}
    assert sent["attributes"] == {"gift_recipient": True}


def test_a_customer_without_an_address_is_identified_by_id_alone():
    assert body(profile(1, PersonRef(1, 7001, None), plan="a"))["attributes"] == {"plan": "a"}


def attributes_if_refusers_are_unsubscribed(**data):
    item = build_item(0, profile(1, GUEST, **data), has_profile=True, unsubscribes_refusers=True)
    assert isinstance(item, Item)
    return json.loads(item.body)["attributes"]


def test_a_person_who_refuses_marketing_is_unsubscribed_if_the_connection_says_so():
    refused = {"accepts_marketing": False}

    assert attributes_if_refusers_are_unsubscribed(**refused) == {"unsubscribed": True, **refused}


@pytest.mark.parametrize("data", [{"accepts_marketing": True}, {"accepts_marketing": None}, {"plan": "a"}])
def test_no_person_is_ever_subscribed(data):
    assert "unsubscribed" not in attributes_if_refusers_are_unsubscribed(**data)


def test_a_refusal_alone_unsubscribes_no_person():
    assert body(profile(1, GUEST, accepts_marketing=False))["attributes"] == {"accepts_marketing": False}


def test_an_event_carries_its_own_id_and_time():
    assert body(event(2, ALICE, " order_new ", order_id=9001)) == {
        "type": "person",
        "action": "event",
        "identifiers": {"id": "cj_7001"},
        "name": "order_new",
        "id": ulid("2"),
        "timestamp": AT,
        "attributes": {"order_id": 9001},
    }


def test_an_event_without_an_id_goes_out_without_one():
    assert "id" not in body(replace(event(2, ALICE), message_id=None))


def test_an_event_name_of_a_hundred_bytes_passes():
    assert body(event(1, ALICE, "é" * 50))["name"] == "é" * 50


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_attribute_without_a_value_is_not_sent_for_a_person_without_a_profile(nothing):
    assert body(profile(1, GUEST, plan=nothing, city="Austin"), has_profile=False)["attributes"] == {"city": "Austin"}


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_attribute_without_a_value_is_cleared_for_a_person_with_a_profile(nothing):
    assert body(profile(1, GUEST, plan=nothing), has_profile=True)["attributes"] == {"plan": ""}


def test_none_is_left_out_for_a_new_person():
    assert body(profile(1, GUEST, plan=None, boxes=1), has_profile=False)["attributes"] == {"boxes": 1}


@pytest.mark.parametrize(
    "name",
    [
        "unsubscribed",
        "cio_id",
        "cio_subscription_preferences",
        "cio_subscription_preferences.topics.topic_1",
        "cio_relationships",
        "_update",
        "_timestamp",
        "anonymous_id",
        "timezone_valid",
        "_created_in_customerio_at",
        "n" * 151,
        "",
    ],
)
def test_a_reserved_or_unusable_name_never_goes_out(name: str):
    item = made(profile(1, GUEST, **{name: True, "plan": "a"}))

    assert json.loads(item.body)["attributes"] == {"plan": "a"}
    assert item.notes == (f"dropped:{name[:60]}",)


def test_the_identifiers_come_from_the_person_alone():
    sent = body(profile(1, ALICE, id="7001", email="other@example.com", plan="a"))

    assert sent["attributes"] == {"email": "person-1@example.com", "plan": "a"}


def test_a_long_value_is_cut_by_bytes_and_said():
    item = made(profile(1, GUEST, plan="é" * 600, box="é" * 500))

    assert json.loads(item.body)["attributes"] == {"plan": "é" * 500, "box": "é" * 500}
    assert item.notes == ("cut:plan",)


@pytest.mark.parametrize("value", [math.nan, math.inf, [1], {"a": 1}])
def test_what_is_no_flat_value_is_dropped_and_said(value: Any):
    item = made(profile(1, GUEST, plan=value, boxes=1.5))

    assert json.loads(item.body)["attributes"] == {"boxes": 1.5}
    assert item.notes == ("dropped:plan",)


def test_attributes_beyond_three_hundred_are_dropped_and_said():
    item = made(profile(1, ALICE, **{f"a{number:03}": number for number in range(302)}))

    assert len(json.loads(item.body)["attributes"]) == 300
    assert json.loads(item.body)["attributes"]["email"] == ALICE.email
    assert item.notes == ("dropped:3 attributes over 300",)


def test_a_profile_too_long_for_a_batch_leaves_alone():
    message = profile(1, GUEST, **{f"a{number}": "x" * 1001 for number in range(40)})
    item = build_item(7, message, has_profile=True)

    assert isinstance(item, Item)
    assert (item.position, item.message, len(item.notes)) == (7, message, 40)
    assert item.own_endpoint is not None
    assert (item.own_endpoint.method, item.own_endpoint.path) == ("PUT", "/api/v1/customers/person-3%40example.com")
    assert item.own_endpoint.template == "/api/v1/customers/{id}"
    assert json.loads(item.body)["_timestamp"] == AT


@pytest.mark.parametrize(("name", "sent"), [("recipient", "recipient_"), ("from_address", "from_address_")])
def test_a_name_that_overrides_a_campaign_is_renamed(name: str, sent: str):
    item = made(event(1, ALICE, **{name: "value"}))

    assert json.loads(item.body)["attributes"] == {sent: "value"}
    assert item.notes == (f"renamed:{name}",)


def test_a_renamed_name_replaces_no_other():
    sent = body(event(1, ALICE, reply_to="a", reply_to_="b"))

    assert sent["attributes"] == {"reply_to__": "a", "reply_to_": "b"}


def test_only_the_top_level_is_reserved():
    assert body(event(1, ALICE, gift={"recipient": "a"}))["attributes"] == {"gift": {"recipient": "a"}}


def test_nulls_and_nan_inside_an_event_are_dropped():
    sent = body(event(1, ALICE, a=None, b=math.nan, c=[1, None, {"d": None, "e": -math.inf}], f={"g": 0}))

    assert sent["attributes"] == {"c": [1, {}], "f": {"g": 0}}


def test_half_a_surrogate_pair_does_not_stop_an_event():
    assert body(event(1, ALICE, note="a\ud83d"))["attributes"] == {"note": "a?"}


def test_an_event_too_long_for_a_batch_leaves_alone_and_whole():
    item = made(event(1, ALICE, note="x" * 90_000))

    assert item.own_endpoint is not None
    assert (item.own_endpoint.method, item.own_endpoint.path) == ("POST", "/api/v1/customers/cj_7001/events")
    assert item.own_endpoint.template == "/api/v1/customers/{id}/events"
    assert json.loads(item.body) == {
        "name": "order_new",
        "id": ulid("1"),
        "timestamp": AT,
        "data": {"note": "x" * 90_000},
    }
    assert item.notes == ()


def test_an_event_longer_than_that_has_its_texts_cut_as_little_as_it_takes():
    item = made(event(1, ALICE, reply_to="r", notes=["y" * 9000, {"text": "x" * 300_000}]))

    data = json.loads(item.body)["data"]
    assert data["notes"] == ["y" * 9000, {"text": "x" * 10_000}]
    assert item.notes == ("renamed:reply_to", "cut:texts over 10000 bytes")


def test_the_repr_of_an_item_shows_no_personal_data():
    items = [made(event(1, GUEST, note="x" * 90_000)), made(profile(1, GUEST))]

    assert "example" not in repr(items)


def test_the_order_of_keys_does_not_change_the_bytes():
    assert made(event(1, ALICE, a=1, b={"c": 2, "d": 3})).body == made(event(1, ALICE, b={"d": 3, "c": 2}, a=1)).body


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), _JSON, max_size=8), st.sampled_from(["profile", "event"]), st.booleans())
def test_any_data_makes_valid_json_within_the_limits(data: dict[str, Any], kind: str, has_profile: bool):  # noqa: FBT001
    message = replace(event(1, ALICE), kind=kind, data=data)

    sent = json.loads(made(message, has_profile=has_profile).body.decode("utf-8"))

    assert "unsubscribed" not in sent["attributes"] or kind == "event"
    for name, value in sent["attributes"].items() if kind == "profile" else ():
        assert byte_length(name) <= limits.MAX_ATTRIBUTE_NAME_BYTES
        assert not isinstance(value, str) or byte_length(value) <= limits.MAX_ATTRIBUTE_VALUE_BYTES
        assert isinstance(value, str | int | float)
