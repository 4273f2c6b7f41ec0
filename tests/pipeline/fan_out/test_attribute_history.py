"""From what attributes are and the changes that were kept follows what each was, and since when."""

from __future__ import annotations

from pipeline.fan_out.attribute_history import AttributeChange, build_histories

FIRST = AttributeChange(10, 1, {})


def shown(attributes, *changes):
    return {
        history.name: [(value.value, value.since, value.event_id) for value in (history.now, *history.earlier)]
        for history in build_histories(attributes, changes)
    }


def test_a_value_that_never_changed_is_of_the_first_change():
    assert shown({"city": "Austin"}, FIRST) == {"city": [("Austin", 10, 1)]}


def test_earlier_values_have_their_own_times_and_events():
    changes = FIRST, AttributeChange(20, 2, {"city": "Austin"}), AttributeChange(30, None, {"city": "Boston"})

    assert shown({"city": "Chicago"}, *changes) == {
        "city": [("Chicago", 30, None), ("Boston", 20, 2), ("Austin", 10, 1)]
    }


def test_what_was_added_later_was_not_there_before():
    assert shown({"plan": "monthly"}, FIRST, AttributeChange(20, 2, {"plan": None})) == {"plan": [("monthly", 20, 2)]}


def test_what_was_cleared_comes_last_and_has_no_value():
    changes = FIRST, AttributeChange(20, 2, {"box": "Tea", "at": None}), AttributeChange(30, 3, {"at": 5})

    assert list(shown({"zip": 1}, *changes).items()) == [
        ("zip", [(1, 10, 1)]),
        ("at", [(None, 30, 3), (5, 20, 2)]),
        ("box", [(None, 20, 2), ("Tea", 10, 1)]),
    ]


def test_false_is_a_value():
    assert shown({"is_test": True}, FIRST, AttributeChange(20, 2, {"is_test": False})) == {
        "is_test": [(True, 20, 2), (False, 10, 1)]
    }


def test_what_is_longer_ago_than_changes_are_kept_has_no_time():
    assert shown({"a": 1, "b": 2}, AttributeChange(20, 2, {"a": 0})) == {
        "a": [(1, 20, 2), (0, None, None)],
        "b": [(2, None, None)],
    }
    assert shown({"a": 1}) == {"a": [(1, None, None)]}
