"""The bytes of a value are the same from either encoder."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.destinations.json_text import to_json, truncate

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)


@given(VALUES)
def test_any_value_comes_back_as_it_was(value):
    assert json.loads(to_json(value)) == value


@given(st.dictionaries(TEXT, st.integers() | TEXT))
def test_names_are_in_order_and_only_what_must_be_is_escaped(value):
    plain = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    assert to_json(value) == plain.encode()


@pytest.mark.parametrize("value", [{"b": 1, "a": "\ud83c"}, {"b": 1, "a": "?"}])
def test_half_a_surrogate_pair_becomes_a_question_mark(value):
    assert to_json(value) == b'{"a":"?","b":1}'


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json({"a": [float("nan")]})


def test_a_type_that_json_lacks_is_refused():
    with pytest.raises(TypeError):
        to_json({"a": object()})


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1


def test_what_is_deep_is_written_and_what_is_too_deep_is_refused():
    assert to_json(nested(300)) == b"[" * 300 + b"1" + b"]" * 300
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(RecursionError):
        to_json(deep)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("x" * 10, "x" * 10),
        ("x" * 11, "x" * 10),
        ("é" * 5, "é" * 5),
        ("é" * 6, "é" * 5),
        ("x" + "é" * 5, "x" + "é" * 4),
        ("\ud83c" * 10, "\ud83c" * 10),
        ("\ud83c" * 11, "?" * 10),
    ],
)
def test_a_text_is_cut_to_ten_bytes_between_two_characters(text, cut):
    assert truncate(text, 10) == cut
