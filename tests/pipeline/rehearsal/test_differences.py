"""Differences are grouped by what they have in common; what both runs wrote, however late, is none."""

from __future__ import annotations

import pytest

from pipeline.rehearsal.compare import MessageKey
from pipeline.rehearsal.differences import EXAMPLES, Differences

KEY = MessageKey(1, "customer:7001", "event", "r1", 0)


@pytest.fixture
def differences(tmp_path):
    found = Differences(tmp_path)
    yield found
    found.close()


def content(**data):
    return {"customer_id": 1, "email": "a", "name": "n", "message_id": "m", "at": 1, "data": data, "request": None}


def test_a_message_that_comes_with_a_later_hook_is_no_difference(differences):
    differences.add_message(KEY, "order_new", content(n=1), None)
    differences.add_message(KEY, "order_new", None, content(n=1))

    differences.pair_late_messages()

    assert differences.count() == 0


def test_a_message_that_comes_later_and_otherwise_is_changed(differences):
    differences.add_message(KEY, "order_new", content(n=1), None)
    differences.add_message(KEY, "order_new", None, content(n=2))

    differences.pair_late_messages()

    assert [(one.change, one.fields, one.detail) for one in differences] == [
        ("changed", ["data.n"], {"data.n": [1, 2]})
    ]


def test_a_message_of_one_run_stays_new_or_gone(differences):
    differences.add_message(KEY, "order_new", content(), None)
    differences.add_message(KEY._replace(receipt="r2"), "order_new", None, content())

    differences.pair_late_messages()

    assert [one.change for one in differences] == ["gone", "new"]


def test_a_group_counts_all_and_shows_some(differences):
    for number in range(EXAMPLES + 3):
        key = KEY._replace(receipt=f"r{number}", person=f"customer:{number % 2}")
        differences.add_message(key, "order_new", content(n=1), content(n=2))

    (group,) = differences.group()

    assert (group.count, group.people, len(group.examples)) == (EXAMPLES + 3, 2, EXAMPLES)


def test_outcomes_of_hooks_come_first_and_name_both(differences):
    differences.add_message(KEY, "order_new", content(), None)
    differences.add_outcome("r1", "order_new", "forwarded", "withheld")

    first, _ = differences.group()

    assert (first.kind, first.fields, first.people) == ("hook", ["forwarded -> withheld"], 0)
