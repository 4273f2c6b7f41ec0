"""Layer after layer until there is an object, and the form that is remembered for it."""

from __future__ import annotations

import json

import pytest

from pipeline.core.errors import BadHook
from pipeline.decode.unwrap import Unwrapped, unwrap

OBJECT = {"a": "x"}
B, C, D = '{"a": "x"}', r"{\"a\": \"x\"}", "{'a': 'x'}"
CANONICAL = b'{"a":"x"}'


def in_strings(text, layers):
    for _ in range(layers):
        text = json.dumps(text)
    return text


@pytest.mark.parametrize(
    ("text", "form", "canonical"),
    [
        (B, "B", CANONICAL),
        (in_strings(B, 1), "A", CANONICAL),
        (in_strings(B, 4), "A", CANONICAL),
        (C, "C", CANONICAL),
        (in_strings(C, 1), "C", CANONICAL),
        (D, "D", None),
        (in_strings(D, 1), "D", None),
        (repr(B), "D", CANONICAL),
        (repr(C), "D", CANONICAL),
        ('{"a": "x", "a": "x"}', "B", None),
        (f" \t\r\n\v\f\0\xa0\ufeff{B} \t\r\n\v\f\0\xa0\ufeff", "B", CANONICAL),
    ],
)
def test_an_object_is_found_in_every_form(text, form, canonical):
    assert unwrap(text) == Unwrapped(form, OBJECT, canonical)


@pytest.mark.parametrize(
    "text",
    [r"{ \t\"a\": \"x\"}", '{\n\\"a\\": \\"x\\"}', r"{\\\"a\\\": \\\"x\\\"}"],
    ids=["an escaped blank", "a line break", "escaped twice"],
)
def test_escaped_text_may_begin_with_blanks(text):
    assert unwrap(text) == Unwrapped("C", OBJECT, CANONICAL)


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        ("", "empty", {"layer": 0}),
        ('""', "empty", {"layer": 1}),
        ("[1]", "not_an_object", {"found": "list", "layer": 0}),
        ("(1,)", "not_an_object", {"found": "list", "layer": 0}),
        ("1", "not_an_object", {"found": "number", "layer": 0}),
        ("1.5", "not_an_object", {"found": "number", "layer": 0}),
        ("true", "not_an_object", {"found": "boolean", "layer": 0}),
        ("null", "not_an_object", {"found": "null", "layer": 0}),
        ('"[1]"', "not_an_object", {"found": "list", "layer": 1}),
        (in_strings(B, 5), "too_many_layers", {"layers": 4}),
        ("hello", "not_json", {"at": 0, "length": 5, "layer": 0}),
        ('{"a": x}', "not_json", {"at": 7, "length": 8, "layer": 0}),
        ("{'a': 1", "not_json", {"at": 7, "length": 7, "layer": 0}),
        ('{"a": 1, b}', "not_json", {"at": 10, "length": 11, "layer": 0}),
        ('"hello"', "not_json", {"at": 0, "length": 5, "layer": 1}),
    ],
)
def test_what_holds_no_object_is_refused_with_its_place(text, reason, detail):
    with pytest.raises(BadHook) as refused:
        unwrap(text)

    assert (refused.value.reason, refused.value.detail) == (reason, detail)
