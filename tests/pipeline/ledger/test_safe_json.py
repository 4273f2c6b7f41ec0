"""JSON that both databases take."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ledger.safe_json import dumps

TEXT = st.text(st.characters(codec=None, exclude_categories=()))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)


@given(VALUES)
def test_any_value_becomes_text_a_database_takes(value):
    text = dumps(value)

    assert "\0" not in json.dumps(json.loads(text), ensure_ascii=False)
    assert text.encode()


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")))
def test_harmless_text_comes_back_as_it_was(text):
    assert json.loads(dumps({text: text})) == {text: text}


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="JSON compliant"):
        dumps({"total": float("nan")})
