"""What a mapping makes of messages, and which mappings are refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import Misconfigured
from pipeline.events.catalogue import EVENTS
from pipeline.mapping.rules import (
    AS_IT_IS,
    apply_mapping,
    apply_to_all,
    change_mapping,
    format_mapping,
    parse_mapping,
    read_left_out,
)
from tests.contracts.messages import event, person, profile

ALICE = person(1)


def mapping(events=None, attributes=None):
    return parse_mapping(json.dumps({"events": events or {}, "attributes": attributes or {}}))


def test_without_a_mapping_messages_are_the_same_objects():
    messages = [event(1, ALICE), profile(2, ALICE)]

    assert apply_to_all(parse_mapping(None), messages) is messages


def test_an_event_has_the_name_there_and_keeps_everything_else():
    sent = event(1, ALICE, "order_new", total=5)
    got = apply_mapping(mapping({"order_new": "Placed Order"}), sent)

    assert (got.name, got.cratejoy_name) == ("Placed Order", "order_new")
    assert (got.message_id, got.data, got.at, got.person) == (sent.message_id, sent.data, sent.at, sent.person)


def test_an_event_that_is_not_sent_any_more_leaves_under_its_name_if_it_waits_already():
    assert apply_mapping(mapping({"order_new": None}), event(1, ALICE, "order_new")).name == "order_new"


def test_attributes_are_renamed_left_out_and_cleared():
    sent = profile(1, ALICE, subscription_plan="Small", phone="1", city=None, boxes_shipped=3)
    got = apply_mapping(mapping(attributes={"subscription_plan": "Plan", "phone": None, "city": "Town"}), sent)

    assert got.data == {"Plan": "Small", "Town": None, "boxes_shipped": 3}


def test_a_chosen_name_wins_over_an_attribute_of_that_name():
    sent = profile(1, ALICE, first_name="Alice", last_name="Buyer")

    assert apply_mapping(mapping(attributes={"first_name": "last_name"}), sent).data == {"last_name": "Alice"}


def test_an_events_data_is_not_touched_by_attributes():
    sent = event(1, ALICE, plan="Small")

    assert apply_mapping(mapping(attributes={"plan": None}), sent) is sent


def test_our_own_name_takes_a_change_back():
    changed = mapping({"order_new": "Placed Order"}, {"phone": None})

    assert change_mapping(changed, {"order_new": "order_new"}, {"phone": "phone"}) == AS_IT_IS


def test_what_changes_nothing_is_saved_as_nothing():
    assert format_mapping(mapping({"order_new": "order_new"})) is None


@given(
    st.dictionaries(st.sampled_from(sorted(EVENTS)), st.none() | st.text("abc XY_", min_size=1, max_size=20)),
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{1,9}", fullmatch=True).filter("email".__ne__), st.none()),
)
def test_a_mapping_is_read_back_as_it_was_saved(events, attributes):
    events = {name: there for name, there in events.items() if there is None or there.strip()}
    made = mapping(events, attributes)

    assert parse_mapping(format_mapping(made)) == made
    assert read_left_out(format_mapping(made)) == made.left_out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "a mapping is"),
        ('{"event": {}}', "a mapping is"),
        ('{"events": []}', "events must be an object"),
        ('{"events": {"order_old": "x"}}', "events.order_old: Cratejoy has no such event"),
        ('{"events": {"order_new": ""}}', "events.order_new: a name has 1 to 100 characters"),
        ('{"events": {"order_new": 5}}', "events.order_new: a name has 1 to 100 characters"),
        ('{"attributes": {"email": "mail"}}', "attributes.email: it cannot be changed"),
        ('{"attributes": {"phone": "email"}}', "attributes.phone: email cannot be taken"),
        ('{"attributes": {"Phone": "x"}}', "attributes.Phone: no attribute has such a name"),
        ('{"attributes": {"phone": "x", "city": "x"}}', "two would be called x"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused_with_its_place(text, says):
    with pytest.raises(Misconfigured, match=says):
        parse_mapping(text)
