"""Reading loaded bodies by dotted paths, and loaded times as numbers."""

from __future__ import annotations

import pytest

from pipeline.events.fields import format_time, get_first, get_path, parse_time_s, parse_time_us

BODY = {"a": {"b": {"c": 1}}, "null": None, "text": "x", "zero": 0}


@pytest.mark.parametrize(
    ("path", "value"),
    [("", BODY), ("a.b.c", 1), ("a.b", {"c": 1}), ("a.x.c", None), ("text.length", None), ("null.a", None)],
)
def test_a_path_leads_to_a_value_or_to_none(path, value):
    assert get_path(BODY, path) == value


def test_the_first_value_that_is_not_none_counts_even_if_it_is_zero():
    assert get_first(BODY, ["missing", "null", "zero", "text"]) == 0


def test_without_any_value_the_first_is_none():
    assert get_first(BODY, ["missing", "null"]) is None


def test_a_time_keeps_its_milliseconds_and_no_more():
    assert parse_time_us("2026-03-02T17:04:31.123456Z") == 1_772_471_071_123_000


def test_a_time_in_seconds_is_a_whole_number():
    assert repr(parse_time_s("2026-03-02T17:04:31.900Z")) == "1772471071"


@pytest.mark.parametrize("parse", [parse_time_us, parse_time_s])
def test_no_text_is_no_time(parse):
    assert parse(None) is None


@pytest.mark.usefixtures("tokyo")
def test_a_formatted_time_is_in_utc_whatever_the_local_time_is():
    assert format_time(1_772_471_071_999_999) == "2026-03-02T17:04:31Z"
