"""What a run says of a message does not depend on the process that says it."""

from __future__ import annotations

from pipeline.rehearsal.side import compute_digest


def test_the_order_of_keys_makes_no_difference():
    first = {"data": {"plan": None, "box": {"a": 1, "b": 2}}, "at": 1}
    second = {"at": 1, "data": {"box": {"b": 2, "a": 1}, "plan": None}}

    assert compute_digest(first) == compute_digest(second)


def test_every_value_makes_a_difference():
    values = [{"n": 1}, {"n": 1.0}, {"n": True}, {"n": None}, {"n": "1"}, {"n": 10**30}, {"n": "\ud800"}, {}]

    assert len({compute_digest(value) for value in values}) == len(values)
