"""The bounds of a body, each at its last value and one beyond, and the canonical text."""

from __future__ import annotations

import pytest

from pipeline.core.errors import BadHook
from pipeline.decode.limits import Reason, check_count, check_nesting, to_canonical_json


def refusal(act, *arguments):
    """The reason and the detail of a refusal; None if nothing is refused."""
    try:
        act(*arguments)
    except BadHook as refused:
        return refused.reason, refused.detail
    return None


TOO_MANY = (Reason.TOO_MANY_VALUES, {"limit": 100_000})


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("[" + "1, " * 99_998 + "1]", None),
        ("[" + "1, " * 99_999 + "1]", TOO_MANY),
        ("[" + "{}, " * 49_999 + "1]", None),
        ("[" + "{}, " * 50_000 + "1]", TOO_MANY),
        ("[" + "[], " * 50_000 + "1]", TOO_MANY),
        ('["' + "[{," * 100_000 + '"]', None),
        ('["' + "[{," * 100_000 + '", ' + "1, " * 100_000 + "1]", TOO_MANY),
        ('["' + r"\",," * 100_000 + '"]', None),
        ('["' + "," * 200_000 + '", ' + "1, " * 99_997 + "1]", None),
        ('["' + ",," * 150_000, None),
    ],
    ids=[
        *("the most numbers", "one more", "the most objects", "one more object", "one more list"),
        *(
            "marks in a text",
            "marks in a text and too many numbers",
            "marks behind an escape",
            "marks in a text and the most numbers",
        ),
        "a text without an end",
    ],
)
def test_a_text_has_at_most_a_hundred_thousand_values(text, refused):
    assert refusal(check_count, text) == refused


@pytest.mark.parametrize("opener", ["[", "{"])
@pytest.mark.parametrize(("depth", "refused"), [(64, None), (65, (Reason.TOO_DEEP, {}))])
def test_a_text_is_nested_at_most_64_deep(opener, depth, refused):
    closer = {"[": "]", "{": "}"}[opener]

    assert refusal(check_nesting, opener * depth + closer * depth) == refused
    assert refusal(check_nesting, opener * depth) == refused


@pytest.mark.parametrize(
    "text",
    [
        "[]" * 100,
        "{}" * 100,
        "[{}]" * 50,
        '"' + "[" * 100 + '"',
        '["\ud800' + "[" * 100 + '"]',
        r'"\"' + "[" * 100 + '"',
    ],
    ids=["lists", "objects", "both", "a text", "a text with half a character", "a text behind an escaped quote"],
)
def test_what_is_closed_again_or_stands_in_a_text_is_not_deep(text):
    assert refusal(check_nesting, text) is None


def test_lists_side_by_side_may_be_as_deep_as_one():
    assert refusal(check_nesting, "[[]," + "[" * 63 + "]" * 64) is None
    assert refusal(check_nesting, "[[]," + "[" * 64 + "]" * 65) == (Reason.TOO_DEEP, {})


def test_half_a_character_outside_a_text_does_not_hide_the_depth():
    assert refusal(check_nesting, "\ud800" + "[" * 65) == (Reason.TOO_DEEP, {})


def test_the_canonical_text_is_compact_sorted_and_ascii():
    assert to_canonical_json({"b": [1, 2.5, None, True], "a": "é"}) == b'{"a":"\\u00e9","b":[1,2.5,null,true]}'


def test_a_canonical_text_that_is_known_is_not_made_again():
    assert to_canonical_json({"a": 1}, b"known") == b"known"


def nested(depth, make):
    return make(nested(depth - 1, make)) if depth > 1 else {}


@pytest.mark.parametrize(
    "make", [lambda inner: {"a": inner}, lambda inner: {"a": 1, "b": inner}], ids=["alone", "beside a number"]
)
@pytest.mark.parametrize(("depth", "refused"), [(64, None), (65, (Reason.TOO_DEEP, {}))])
def test_a_body_is_nested_at_most_64_deep(make, depth, refused):
    assert refusal(to_canonical_json, nested(depth, make)) == refused


@pytest.mark.parametrize(("depth", "refused"), [(63, None), (64, (Reason.TOO_DEEP, {}))])
def test_lists_count_as_levels_of_a_body(depth, refused):
    body = []
    for _ in range(depth - 1):
        body = [body]

    assert refusal(to_canonical_json, {"a": body}) == refused


def test_many_containers_side_by_side_are_not_deep():
    assert refusal(to_canonical_json, {"a": [[]] * 100, "b": "[" * 100}) is None


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "place",
    [lambda number: number, lambda number: [0, number], lambda number: [{"b": [number, "x"]}]],
    ids=["at the top", "in a list", "deep"],
)
@pytest.mark.parametrize(("number", "refused"), [(10**100 - 1, None), (10**100, (Reason.NUMBER_TOO_LONG, {}))])
def test_a_whole_number_has_at_most_a_hundred_digits(sign, place, number, refused):
    assert refusal(to_canonical_json, {"a": place(sign * number)}) == refused


def test_digits_of_a_text_or_of_a_name_are_no_number():
    assert refusal(to_canonical_json, {"a": "9" * 200, "1" * 200: [12_345]}) is None


def test_an_infinite_number_is_refused():
    assert refusal(to_canonical_json, {"a": float("inf")}) == (Reason.NOT_A_NUMBER, {})
