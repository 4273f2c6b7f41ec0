"""A JSON value as lines, with remarks at its fields."""

from __future__ import annotations

import pytest

from receiver.pages.activity.json_lines import MAX_LINE_CHARS, MAX_LINES, build_json_lines
from receiver.pages.filters import as_json


@pytest.mark.parametrize(
    "value",
    [{}, [], 7, "é", None, {"a": {"b": [1, {"c": True}], "d": {}}, "e": [[]]}],
    ids=["empty", "list", "number", "text", "null", "nested"],
)
def test_the_lines_are_json(value):
    shown = build_json_lines(value)

    assert shown.text.replace(" ", "").replace("\n", "") == as_json(value).replace(",\n", "").replace(" ", "").replace(
        "\n", ""
    )
    assert not shown.is_cut


def test_a_remark_stands_at_its_field():
    lines = build_json_lines({"a": [{"b": 1}]}, {"a.0.b": "odd"}).lines

    assert [line.remark for line in lines if '"b"' in line.text] == ["odd"]


@pytest.mark.parametrize(("path", "text"), [("a.c", '    "c": '), ("c", '  "c": ')])
def test_a_field_that_is_not_there_gets_a_line_with_its_remark(path, text):
    lines = build_json_lines({"a": {"b": 1}}, {path: "left out"}).lines

    assert [(line.text, line.remark) for line in lines if line.remark] == [(text, "left out")]


def test_a_long_value_and_many_lines_are_cut():
    long, many = build_json_lines({"a": "x" * 9999}), build_json_lines(list(range(9999)))

    assert (long.is_cut, many.is_cut) == (True, True)
    assert len(long.lines[1].text) <= MAX_LINE_CHARS
    assert len(many.lines) == MAX_LINES


def test_marks_that_turn_the_direction_of_writing_are_shown_by_their_numbers():
    assert build_json_lines({"a": "\u202eab\x85"}).lines[1].text == '  "a": "\\u202eab\\u0085"'
