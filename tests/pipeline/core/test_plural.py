from __future__ import annotations

import pytest

from pipeline.core.plural import pluralize


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (1, ("hook",), "1 hook"),
        (0, ("hook",), "0 hooks"),
        (2, ("hook",), "2 hooks"),
        (1, ("person", "people"), "1 person"),
        (2, ("person", "people"), "2 people"),
    ],
)
def test_a_noun_follows_its_count(count, words, text):
    assert pluralize(count, *words) == text
