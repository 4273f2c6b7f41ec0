"""Ids and times in addresses: what is read, and what is a 404."""

from __future__ import annotations

import pytest
from werkzeug.exceptions import NotFound

from receiver.pages.addresses import MAX_AT_US, read_cursor, read_id, read_ids, read_time

DAY_US = 86_400_000_000


@pytest.mark.parametrize(("text", "number"), [(None, None), ("", None), ("7", 7), ("9" * 18, 10**18 - 1)])
def test_an_id_is_a_number_that_every_database_takes(text, number):
    assert read_id(text) == number


@pytest.mark.parametrize("text", ["²", "٣", "-1", "1.0", "9" * 19, " 1"])
def test_anything_else_is_no_id(text):
    with pytest.raises(NotFound):
        read_id(text)


def test_of_a_list_only_the_ids_are_read():
    assert read_ids(["1", "²", "3", "4"], most=2) == (1, 3)


@pytest.mark.parametrize(
    ("text", "cursor"), [(None, (None, None)), ("12.7", (12, 7)), (".7", (None, 7)), ("12.", (12, None))]
)
def test_a_cursor_is_two_ids(text, cursor):
    assert read_cursor(text) == cursor


@pytest.mark.parametrize("text", ["12", "1.2.3", "a.b", "1.²"])
def test_anything_else_is_no_cursor(text):
    with pytest.raises(NotFound):
        read_cursor(text)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (None, None),
        ("1970-01-02", DAY_US),
        ("1970-01-02T00:00:00.000001", DAY_US + 1),
        ("1970-01-02T01:00+01:00", DAY_US),
        ("0001-01-01T00:00+14:00", 0),
        ("9999-12-31T23:59-14:00", MAX_AT_US),
    ],
)
def test_a_time_is_in_utc_unless_it_says_otherwise_and_has_borders(text, at):
    assert read_time(text) == at


@pytest.mark.parametrize("text", ["yesterday", "²", "9" * 25, "2026-13-01"])
def test_anything_else_is_no_time(text):
    with pytest.raises(NotFound):
        read_time(text)
