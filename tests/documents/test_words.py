"""Retired words do not come back."""

from __future__ import annotations

from tests.documents.retired_words import find_retired_words


def test_no_file_uses_a_retired_word():
    assert [str(place) for place in find_retired_words()] == []
