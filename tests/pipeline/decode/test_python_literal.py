"""Form D: Python literals, as two generations of Python printed them."""

from __future__ import annotations

import pytest

from pipeline.core.errors import BadHook
from pipeline.decode import decode


def value_of(literal):
    return decode(b"{'v': " + literal.encode() + b"}").body["v"]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("None", None),
        ("True", True),
        ("False", False),
        ("null", None),
        ("10L", 10),
        ("-3", -3),
        ("+3", 3),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("()", []),
        ("(1, 'x',)", [1, "x"]),
        ("[[], {}]", [[], {}]),
        ('"it\'s"', "it's"),
        ("u'x'", "x"),
        ("''", ""),
    ],
)
def test_values_are_read_as_python_printed_them(literal, value):
    assert value_of(literal) == value


@pytest.mark.parametrize(
    ("escape", "text"),
    [
        (r"\'", "'"),
        (r"\"", '"'),
        (r"\\", "\\"),
        (r"\n\r\t\b\f\a\v", "\n\r\t\b\f\a\v"),
        (r"\xe9", "é"),
        (r"\u00e9", "é"),
        (r"\U0001f381", "🎁"),
        (r"\ud83c\udf81", "🎁"),
        (r"\101\0", "A\0"),
        (r"\q", r"\q"),
        ("a\\\nb", "ab"),
        (r"\ud83c", "\ud83c"),
    ],
)
def test_escapes_are_those_of_python(escape, text):
    assert value_of(f"'{escape}'") == text


@pytest.mark.parametrize(
    "literal",
    [
        "",
        "nobody",
        "-nothing",
        "__import__('os')",
        "1 + 1",
        "1, 2",
        "{1, 2}",
        "{1: 2}",
        "{'a' 1}",
        "['a' 'b']",
        "[1, 2",
        "(1]",
        "]",
        ",",
        "'open",
        r"'\U00110000'",
        "1j",
        "--1",
        "lambda: 1",
        "b'x'",
    ],
)
def test_whatever_is_not_a_literal_is_not_json(literal):
    with pytest.raises(BadHook, match="not_json"):
        value_of(literal)


def test_nothing_may_follow_a_literal():
    with pytest.raises(BadHook, match="not_json"):
        decode(b"{'a': 1} {'b': 2}")


@pytest.mark.parametrize("literal", ["nan", "inf", "-inf", "[1, nan]", "1e309"])
def test_a_number_json_does_not_know_is_refused(literal):
    with pytest.raises(BadHook, match="not_a_number"):
        value_of(literal)
