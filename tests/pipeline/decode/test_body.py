"""Bytes of a hook: bounds, encodings, the choice of the form, and the fingerprint."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.core.errors import BadHook
from pipeline.decode.body import Decoded, decode

FINGERPRINT = hashlib.sha256(b'{"a":"1"}').hexdigest()


def refusal(raw, query=None, **limits):
    with pytest.raises(BadHook) as refused:
        decode(raw, query, **limits)
    return refused.value.reason, refused.value.detail


@pytest.mark.parametrize(
    ("raw", "query", "form"),
    [
        (b'{"a": "1"}', None, "B"),
        (b'"{\\"a\\": \\"1\\"}"', "", "A"),
        (b'{\\"a\\": \\"1\\"}', None, "C"),
        (b"{'a': '1'}", "b=2", "D"),
        (b"", "a=1", "query"),
        (b" \t\r\n\v\f\0", "a=1", "query"),
        (b"\xef\xbb\xbf", "a=1", "query"),
        (b"\xef\xbb\xbf \n", "a=1", "query"),
        (b"a=1", "b=2", "form"),
        (b"a=1 \r\n", None, "form"),
    ],
)
def test_a_body_is_read_by_how_it_begins_and_has_one_fingerprint(raw, query, form):
    assert decode(raw, query) == Decoded(form, {"a": "1"}, FINGERPRINT)


def test_a_body_of_one_letter_is_not_an_empty_one():
    assert refusal(b"X", "a=1")[0] == "not_json"


def test_the_size_of_a_hook_is_that_of_body_and_query():
    assert refusal(b'{"a": 1}', "b=2", max_bytes=10) == ("too_large", {"length": 11, "limit": 10})
    assert decode(b'{"a": 1}', "b=2", max_bytes=11).body == {"a": 1}


def test_five_million_bytes_are_read_and_one_more_is_refused():
    frame = len('{"a":""}')

    assert len(decode(b'{"a":"%s"}' % (b"x" * (5_000_000 - frame))).body["a"]) == 5_000_000 - frame
    assert refusal(b'{"a":"%s"}' % (b"x" * (5_000_001 - frame))) == (
        "too_large",
        {"length": 5_000_001, "limit": 5_000_000},
    )


def test_bytes_that_are_not_utf_8_are_refused_with_their_place():
    assert refusal(b'{"a": "\xff"}') == ("bad_utf8", {"at": 7, "length": 10})


def test_a_mark_of_another_encoding_is_refused():
    assert refusal(b"\xff\xfe{\0}\0") == ("wrong_encoding", {})


def test_a_text_too_deep_for_python_is_too_deep():
    assert refusal(b"{'a':" * 5000) == ("too_deep", {})
