"""An event's data as Customer.io takes it: without nulls and reserved names, cut only if it is too long."""

from __future__ import annotations

from collections import OrderedDict
from types import MappingProxyType

import pytest

from pipeline.destinations.customerio.event_data import clean_event_data
from pipeline.destinations.customerio.limits import MAX_EVENT_DATA_BYTES
from pipeline.destinations.json_text import shorten_texts, to_json


@pytest.mark.parametrize(
    ("data", "clean"),
    [
        ({"a": 1, "b": "x", "c": True, "d": 1.5}, {"a": 1, "b": "x", "c": True, "d": 1.5}),
        ({"a": None, "b": float("nan"), "c": float("-inf")}, {}),
        ({"a": {"b": None, "c": {"d": None}}}, {"a": {"c": {}}}),
        ({"a": [1, None, float("inf"), "x", [None, 2], {"b": None}]}, {"a": [1, "x", [2], {}]}),
        ({"a": (1, (2, None))}, {"a": [1, [2]]}),
        ({"a": OrderedDict(b=None, c=1), "d": MappingProxyType({"e": None})}, {"a": {"c": 1}, "d": {}}),
        ({1: 2, 3: {4: 5}, 6: [7]}, {"1": 2, "3": {"4": 5}, "6": [7]}),
        ({"a": {"recipient": 1}}, {"a": {"recipient": 1}}),
    ],
)
def test_data_is_cleaned_at_every_level(data, clean):
    assert clean_event_data(data) == (clean, ())


def test_reserved_names_get_an_underscore_and_a_note_each():
    assert clean_event_data({"reply_to": 1, "from_address": 2, "recipient": 3, "a": 4}) == (
        {"reply_to_": 1, "from_address_": 2, "recipient_": 3, "a": 4},
        ("renamed:from_address", "renamed:recipient", "renamed:reply_to"),
    )


def test_a_renamed_name_passes_over_all_that_are_taken():
    clean, _ = clean_event_data({"recipient": 1, "recipient_": 2, "recipient__": 3})

    assert clean == {"recipient_": 2, "recipient__": 3, "recipient___": 1}


FRAME = len('{"a":""}')


def test_data_of_a_hundred_thousand_bytes_is_left_whole():
    data = {"a": "x" * (100_000 - FRAME)}

    assert shorten_texts(data, MAX_EVENT_DATA_BYTES) == (data, ())


def test_one_byte_more_has_its_texts_cut():
    assert shorten_texts({"a": "x" * (100_001 - FRAME)}, MAX_EVENT_DATA_BYTES) == (
        {"a": "x" * 10_000},
        ("cut:texts over 10000 bytes",),
    )


@pytest.mark.parametrize(("count", "limit"), [(9, 10_000), (10, 2000), (60, 500), (300, 100)])
def test_texts_are_cut_as_little_as_it_takes(count, limit):
    texts = ["x" * 12_000] * count

    assert shorten_texts({"a": {"b": texts}, "c": 7}, MAX_EVENT_DATA_BYTES) == (
        {"a": {"b": ["x" * limit] * count}, "c": 7},
        (f"cut:texts over {limit} bytes",),
    )


def test_data_that_is_long_without_long_texts_cannot_be_cut():
    assert shorten_texts({"a": ["x" * 100] * 1000}, MAX_EVENT_DATA_BYTES) is None


@pytest.mark.parametrize(("surplus", "is_cut"), [(0, True), (1, False)])
def test_data_that_fits_exactly_when_cut_is_cut(surplus, is_cut):
    room = 100_000 - len(to_json({"a": ["x" * 100] * 960, "b": ""}))
    data = {"a": ["x" * 101] * 960, "b": int("1" * (room + len('""') + surplus))}

    assert (shorten_texts(data, MAX_EVENT_DATA_BYTES) is not None) == is_cut
