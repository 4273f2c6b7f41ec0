"""The budget for bodies: a share for each sender, and a total."""

from __future__ import annotations

import pytest

from receiver.hooks.body_budget import BodyBudget, BodyBudgetExceeded


def test_a_sender_takes_no_more_than_its_share():
    with BodyBudget(100, 10).new_reservation("acme") as body:
        body.grow(10)
        with pytest.raises(BodyBudgetExceeded):
            body.grow(1)


def test_a_sender_that_has_taken_its_share_leaves_the_others_theirs():
    budget = BodyBudget(100, 10)
    with budget.new_reservation("acme") as full, budget.new_reservation("other") as other:
        full.grow(10)
        other.grow(10)

        assert budget._reserved_by_sender == {"acme": 10, "other": 10}


def test_all_together_take_no_more_than_the_total():
    budget = BodyBudget(15, 10)
    with budget.new_reservation("acme") as half, budget.new_reservation("other") as other:
        half.grow(10)
        with pytest.raises(BodyBudgetExceeded):
            other.grow(6)
        other.grow(5)


def test_an_unknown_sender_is_limited_by_the_total_only():
    with BodyBudget(15, 10).new_reservation(None) as body:
        body.grow(15)
        with pytest.raises(BodyBudgetExceeded):
            body.grow(1)


def test_what_a_body_took_is_given_back_at_its_end():
    budget = BodyBudget(10, 10)
    with budget.new_reservation("acme") as body:
        body.grow(6)
        body.grow(4)
    with budget.new_reservation("acme") as body:
        body.grow(10)

        assert budget._reserved_by_sender == {"acme": 10}


def test_what_could_not_be_taken_is_not_given_back():
    budget = BodyBudget(10, 10)
    with pytest.raises(BodyBudgetExceeded), budget.new_reservation("acme") as body:
        body.grow(11)
    with budget.new_reservation("acme") as body, pytest.raises(BodyBudgetExceeded):
        body.grow(11)


def test_only_senders_with_a_body_under_way_are_remembered():
    budget = BodyBudget(100, 10)
    for number in range(50):
        with budget.new_reservation(str(number)) as body:
            body.grow(1)

    assert budget._reserved_by_sender == {}
