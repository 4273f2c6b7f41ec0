"""Form D: Python literals, as two generations of Python printed them."""

from __future__ import annotations

import pytest

from pipeline.core.errors import BadHook
from pipeline.decode import decode
from pipeline.decode.python_literal import read_literal
from pipeline.decode.strict_json import NotJSONError


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


def refusal(literal):
    with pytest.raises(BadHook) as refused:
        read_literal(literal)
    return refused.value.reason, refused.value.detail


def test_a_hundred_thousand_values_are_read_and_one_more_is_refused():
    assert len(read_literal("(" + "1," * 99_999 + ")")) == 99_999
    assert refusal("(" + "1," * 100_000 + ")") == ("too_many_values", {"limit": 100_000})


def test_each_value_counts_wherever_it_stands():
    assert refusal("({'a': []}," + "[(),]," * 50_000 + ")") == ("too_many_values", {"limit": 100_000})


@pytest.mark.parametrize("opener", ["[", "(", "{'a':"])
def test_64_levels_are_read_and_one_more_is_refused(opener):
    closer = {"[": "]", "(": ")", "{'a':": "}"}[opener]

    assert read_literal(opener * 64 + "1" + closer * 64) is not None
    assert refusal(opener * 65 + "1" + closer * 65) == ("too_deep", {})


@pytest.mark.parametrize(("digits", "is_read"), [("9" * 100, True), ("9" * 101, False), ("-" + "9" * 100, False)])
def test_a_whole_number_has_at_most_a_hundred_characters(digits, is_read):
    if is_read:
        assert read_literal(digits) == int(digits)
    else:
        assert refusal(digits) == ("number_too_long", {})


@pytest.mark.parametrize(
    ("literal", "at"),
    [
        ("", 0),
        ("x", 1),
        ("1 2", 1),
        ("[1 2]", 2),
        ("[1, x]", 5),
        ("{1: 2}", 2),
        ("{'a' 2}", 4),
        ("{'a': }", 7),
        ("]", 1),
        ("[1", 2),
        ("'open", 0),
        (r"'\U00110000'", 12),
    ],
)
def test_what_is_no_literal_carries_the_place_where_reading_stopped(literal, at):
    with pytest.raises(NotJSONError) as error:
        read_literal(literal)

    assert error.value.position == at


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (" [ 1 , 2 , ] \n", [1, 2]),
        ("[]", []),
        ("{ }", {}),
        ("{'a': 1, }", {"a": 1}),
        ("{'a': 1, 'b': (2,), 'c': [3]}", {"a": 1, "b": [2], "c": [3]}),
        ("U'x'", "x"),
        (r"'\u00e9\xe9\351\U000000e9'", "éééé"),
        (r"'\x41\101\x7\X'", r"AA\x7\X"),
        (r"'\400'", "\u0100"),
        (r"'\U0010ffff'", "\U0010ffff"),
        ("'\\\\\\''", "\\'"),
        ("'uU'", "uU"),
        ("10l", 10),
        ("1E2", 100.0),
        ("-.5", -0.5),
    ],
)
def test_literals_are_read_whole(literal, value):
    assert read_literal(literal) == value


@pytest.mark.parametrize("literal", ["nan", "inf", "-inf", "NaN", "Infinity", "-Infinity"])
def test_a_name_for_no_number_is_refused_by_its_own_reason(literal):
    assert refusal(literal) == ("not_a_number", {})


def test_a_name_that_stands_for_two_values_is_refused():
    assert refusal("{'a': 1, 'a': 2}") == ("duplicate_key", {})
