"""One text as strict JSON, and an object from pairs in which a name may stand twice."""

from __future__ import annotations

import pytest

from pipeline.core.errors import BadHook
from pipeline.decode.strict_json import NotJSONError, build_object, read_json


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, 1),
        ("x", "x"),
        (1.5, 1.5),
        (None, None),
        ([1, {"a": [2]}], [1, {"a": [2]}]),
        ({"a": 1, "b": [2.5]}, {"b": [2.5], "a": 1}),
    ],
)
def test_a_name_may_repeat_its_value(first, second):
    assert build_object([("a", first), ("b", 0), ("a", second)]) == {"a": second, "b": 0}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, 2),
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ("x", None),
        ([1], [1, 2]),
        ([1, 2], [1]),
        ([1], [1.0]),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 1, "b": 1}),
        ({"a": 1, "b": 1}, {"a": 1}),
        ({"a": 1, "b": 1}, {"a": 1, "b": 2}),
        ({"a": 0.0}, {"a": -0.0}),
        ({}, []),
    ],
)
def test_a_name_for_two_values_is_refused(first, second):
    with pytest.raises(BadHook, match="duplicate_key"):
        build_object([("a", first), ("a", second)])


def test_not_only_the_first_and_the_last_value_are_compared():
    with pytest.raises(BadHook, match="duplicate_key"):
        build_object([("a", 1), ("a", 2), ("a", 1)])


@pytest.mark.parametrize(("text", "at"), [("", 0), ("{", 1), ('{"a": x}', 6), ("[1] 2", 4)])
def test_what_is_no_json_carries_the_place_where_reading_stopped(text, at):
    with pytest.raises(NotJSONError) as error:
        read_json(text)

    assert (error.value.position, error.value.args) == (at, (at,))


def test_control_characters_in_a_text_are_read():
    assert read_json('{"a": "line\nline\t"}') == {"a": "line\nline\t"}


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_json_lacks_are_refused(constant):
    with pytest.raises(BadHook, match="not_a_number"):
        read_json(constant)


def test_a_number_too_long_for_python_is_refused():
    with pytest.raises(BadHook, match="number_too_long"):
        read_json("9" * 5000)


def test_a_text_nested_too_deeply_is_refused_before_it_is_read():
    with pytest.raises(BadHook, match="too_deep"):
        read_json("[" * 65 + "x")
