"""A profile's attributes as Customer.io takes them."""

from __future__ import annotations

import pytest

from pipeline.destinations.customerio.attributes import clean_attributes, limit_attributes


def cleaned(data, *, has_profile=True):
    return clean_attributes(data, has_profile=has_profile)


@pytest.mark.parametrize("value", [1, 0, True, False, 1.5, "x", "x" * 1000, 2**70])
def test_a_plain_value_goes_out_as_it_is(value):
    assert cleaned({"a": value}) == ({"a": value}, ())


@pytest.mark.parametrize(
    ("value", "sent"),
    [("x" * 1001, "x" * 1000), ("é" * 501, "é" * 500), ("€" * 334, "€" * 333), ("🎁" * 251, "🎁" * 250)],
)
def test_a_text_over_a_thousand_bytes_is_cut_and_noted(value, sent):
    assert cleaned({"a": value}) == ({"a": sent}, ("cut:a",))


@pytest.mark.parametrize("value", [[1], {"b": 1}, float("nan"), float("inf"), b"x", object()])
def test_what_is_no_flat_value_is_dropped_and_noted(value):
    assert cleaned({"a": value, "b": 1}) == ({"b": 1}, ("dropped:a",))


@pytest.mark.parametrize(
    ("has_profile", "sent"), [(True, {"a": "", "b": "", "c": 0, "d": False}), (False, {"c": 0, "d": False})]
)
def test_nothing_clears_an_attribute_only_of_a_profile(has_profile, sent):
    assert cleaned({"a": None, "b": "", "c": 0, "d": False}, has_profile=has_profile) == (sent, ())


@pytest.mark.parametrize("name", ["id", "email"])
def test_identifiers_are_left_out_without_a_note(name):
    assert cleaned({name: "x", "a": 1}) == ({"a": 1}, ())


@pytest.mark.parametrize(
    "name",
    [
        *("unsubscribed", "anonymous_id", "timezone_valid", "_created_in_customerio_at", "_timestamp"),
        *("cio_id", "cio_", "_update", "_update_only", ""),
    ],
)
@pytest.mark.parametrize("value", [1, "x" * 1001, None])
def test_a_reserved_name_is_dropped_and_noted(name, value):
    assert cleaned({name: value, "a": 1}) == ({"a": 1}, (f"dropped:{name}",))


@pytest.mark.parametrize("name", ["unsubscribed_at", "cio", "my_cio_id", "é" * 75, "x" * 150])
def test_a_name_that_only_resembles_a_reserved_one_goes_out(name):
    assert cleaned({name: 1}) == ({name: 1}, ())


@pytest.mark.parametrize("name", ["x" * 151, "é" * 76])
def test_a_name_over_a_hundred_and_fifty_bytes_is_dropped_and_cut_in_its_note(name):
    _, (note,) = cleaned({name: 1})

    assert note == f"dropped:{name.encode()[:60].decode()}"


def test_every_change_has_its_note_in_order():
    assert cleaned({"a": "x" * 1001, "cio_id": 1, "b": [1]})[1] == ("cut:a", "dropped:cio_id", "dropped:b")


def numbered(count):
    return {f"a{number}": number for number in range(count)}


def test_three_hundred_attributes_all_go_out():
    assert limit_attributes(numbered(300), ("n",)) == (numbered(300), ("n",))


@pytest.mark.parametrize("surplus", [1, 2])
def test_the_attributes_beyond_three_hundred_are_dropped_and_counted(surplus):
    notes = ("n", f"dropped:{surplus} attributes over 300")

    assert limit_attributes(numbered(300 + surplus), ("n",)) == (numbered(300), notes)
