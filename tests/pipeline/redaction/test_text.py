"""An address is found in every form in which a hook writes it."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest

from pipeline.redaction.text import build_pattern, find_addresses, list_views, split_words

EMAIL = "bea.buyer+box@example.com"
ESCAPED = json.dumps({"email": EMAIL}).replace("@", "\\u0040").replace("+", "\\u002b")


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps({"email": EMAIL}),
        json.dumps({"email": EMAIL.upper()}),
        ESCAPED,
        json.dumps(json.dumps({"email": EMAIL})),
        json.dumps(ESCAPED),
        repr({"email": EMAIL}),
        f"email={quote_plus(EMAIL)}",
        f"payload={quote(json.dumps({'email': EMAIL}))}",
        f"payload={quote_plus(ESCAPED)}",
        '{"email": "' + EMAIL + '", "name": ',
        f"<a href='mailto:{EMAIL}'>",
        f"write to {EMAIL}.",
    ],
)
def test_an_address_is_found_in_every_form(raw):
    assert EMAIL in find_addresses(list_views(raw.encode()))


def test_an_address_is_found_in_a_query_string():
    assert EMAIL in find_addresses(list_views(b"", f"email={quote_plus(EMAIL)}"))


def test_bytes_without_an_address_have_none():
    assert find_addresses(list_views(b'\xff\xfe{"email": "no address", "at": "@home"}')) == set()


def test_words_of_names_are_found_as_words_only():
    pattern = build_pattern([], split_words(["Ana Lee-Oak Jr"]))

    assert pattern is not None
    assert [bool(pattern.search(text)) for text in ("dear ana!", "banana", "lee-oak", "jr")] == [
        True,
        False,
        True,
        False,
    ]
