"""Facts merged in any order: of each field the newest value counts."""

from __future__ import annotations

import pytest

from pipeline.fan_out.facts import Fact, current_values, merge_fact, newest_time_us


def merged(*changes):
    """What is known after facts of one subject, each of them (moment, fields), and whether each changed it."""
    known = {}
    changed = [merge_fact(known, Fact("order", "1", fields), as_of) for as_of, fields in changes]
    return known[("order", "1")], changed


def test_a_first_fact_is_taken_with_its_moment():
    assert merged((5, {"a": 1})) == ({"a": [5, 1]}, [True])


def test_the_newer_value_of_each_field_wins():
    assert merged((5, {"a": 1, "b": 1}), (6, {"a": 2}), (4, {"b": 2})) == (
        {"a": [6, 2], "b": [5, 1]},
        [True, True, False],
    )


def test_of_two_values_of_one_moment_the_one_that_sorts_last_wins():
    assert merged((5, {"a": "x"}), (5, {"a": "y"}), (5, {"a": "x"})) == ({"a": [5, "y"]}, [True, True, False])


@pytest.mark.parametrize("again", [{"k": 1, "j": 2}, {"j": 2, "k": 1}])
def test_the_same_value_of_the_same_moment_changes_nothing(again):
    assert merged((5, {"a": {"k": 1, "j": 2}}), (5, {"a": again}))[1] == [True, False]


def test_objects_of_one_moment_are_compared_with_their_names_in_order():
    assert merged((5, {"a": {"k": 1, "j": 2}}), (5, {"a": {"j": 3, "k": 0}}))[1] == [True, True]


def test_a_fact_without_fields_changes_nothing():
    assert merged((5, {})) == ({}, [False])


def test_the_current_values_have_no_moments():
    assert current_values({"a": [5, 1], "b": [6, None]}) == {"a": 1, "b": None}


@pytest.mark.parametrize(
    ("known", "moment"), [({}, 0), ({("order", "1"): {"a": [5, 9], "b": [7, 1]}, ("order", "2"): {"a": [6, 8]}}, 7)]
)
def test_the_newest_moment_of_all_facts_is_found(known, moment):
    assert newest_time_us(known) == moment
