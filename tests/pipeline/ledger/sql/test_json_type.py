"""JSON that both databases accept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ledger.sql.json_type import dumps, loads

TEXT = st.text(st.characters(codec=None, exclude_categories=()))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)
ANYWHERE = ["in an object", "deep within", "alone"]


@given(VALUES)
def test_any_value_becomes_json_that_both_databases_accept(value):
    text = dumps(value)

    assert "\0" not in json.dumps(json.loads(text), ensure_ascii=False)
    assert text.encode()


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")))
def test_harmless_text_comes_back_as_it_was(text):
    assert json.loads(dumps({text: text})) == {text: text}


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    "wrapped", [lambda n: {"total": n}, lambda n: [{"all": [None, (1, n)]}], lambda n: n], ids=ANYWHERE
)
def test_nan_and_infinity_are_refused(wrapped, number):
    with pytest.raises(ValueError, match="JSON compliant"):
        dumps(wrapped(number))


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**64 - 1, 2**64, -(2**63) - 1, 10**99])
@pytest.mark.parametrize("wrapped", [lambda n: {"id": n}, lambda n: {str(n): [str(n), n]}, lambda n: n], ids=ANYWHERE)
@pytest.mark.parametrize("spaced", [False, True])
def test_whole_numbers_of_any_size_come_back_as_they_were(wrapped, number, spaced):
    value = wrapped(number)
    text = json.dumps(value) if spaced else dumps(value)  # PostgreSQL puts spaces after colons and commas

    assert loads(text) == loads(text.encode()) == value
    assert isinstance(loads(text), type(value))


@given(VALUES)
def test_a_text_is_read_as_the_standard_library_reads_it(value):
    text = dumps(value)

    assert loads(text) == loads(text.encode()) == json.loads(text)


def test_a_lone_surrogate_that_a_database_holds_can_be_read():
    assert loads('{"name": "\\ud83c"}') == {"name": "\ud83c"}
