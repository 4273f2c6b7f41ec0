"""The tables as a whole: every pair has its answer, and no way through them makes a second box."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.decision.decide import ROWS, TABLE, decide
from pipeline.fulfilment.rules.decision.words import NEVER_SEEN, Action, Decision, Policy, Seen, Standing
from pipeline.fulfilment.rules.reasons import REASONS

MINUTE_US = 60_000_000
POLICIES = st.builds(Policy, *[st.booleans()] * 8)


def standing(decision: Decision) -> Standing:
    return Standing(decision.state, decision.reason, decision.may_exist, decision.is_cancel_wanted, decision.missed_at)


def test_every_state_and_every_sight_have_their_row():
    assert {(state, seen) for state in State for seen in Seen} == set(TABLE)


def test_every_pair_ends_with_a_row_that_holds_always():
    assert [pair for pair, rows in TABLE.items() if rows[-1].when is not None] == []


def test_no_row_stands_behind_one_that_holds_always():
    reached = {id(row) for rows in TABLE.values() for row in rows[: _first_without_condition(rows) + 1]}

    assert [row for row in ROWS if id(row) not in reached] == []


def test_every_reason_of_the_tables_has_its_sentence():
    words = {word for row in ROWS for word in (row.rule.reason, row.rule.notice)}

    assert {word for word in words if word and not word.startswith("(")} - set(REASONS) == set()


@pytest.mark.parametrize("state", [state for state in State if state not in {State.READY, State.SENDING}])
def test_only_an_order_that_is_being_sent_is_created(state):
    assert {row.rule.action for (of, _), rows in TABLE.items() if of is state for row in rows}.isdisjoint(
        {Action.CREATE}
    )


# What may follow an action at all: the tables are asked everything, but a create has only these answers.
_AFTER_CREATE = (
    Seen.CREATED,
    Seen.EXISTS,
    Seen.REJECTED,
    Seen.NOT_DONE,
    Seen.NOT_NOW,
    Seen.OUTCOME_UNKNOWN,
    Seen.MAY_BE_DONE,
    Seen.STUCK,
)
_MAY_BE_THERE = {Seen.CREATED, Seen.EXISTS, Seen.OUTCOME_UNKNOWN, Seen.MAY_BE_DONE, Seen.STUCK}


@settings(max_examples=100)
@given(policy=POLICIES, data=st.data())
def test_a_box_that_may_be_at_the_warehouse_is_looked_up_before_it_is_created(policy, data):
    now, now_at, before, is_there = 0, NEVER_SEEN, Action.NONE, False

    for _ in range(data.draw(st.integers(1, 40))):
        choices = _AFTER_CREATE if before is Action.CREATE else tuple(Seen)
        # What leads onwards is drawn more often, so that long ways are gone, too.
        likely = (Seen.DUE, Seen.TURN, Seen.NOT_FOUND) if before is not Action.CREATE else choices
        seen = data.draw(st.sampled_from(likely) | st.sampled_from(choices))
        decision = decide(now_at, seen, policy, now)
        is_there = is_there or (before is Action.CREATE and seen in _MAY_BE_THERE)

        if decision.action is Action.CREATE and is_there:
            assert seen is Seen.NOT_FOUND or policy.repeats_safely
        if is_there:
            assert decision.may_exist
        now_at, before = standing(decision), decision.action
        now += data.draw(st.sampled_from([0, MINUTE_US, 6 * MINUTE_US]))


@settings(max_examples=100)
@given(policy=POLICIES, steps=st.lists(st.sampled_from(Seen), max_size=30))
def test_a_box_is_never_ready_again_after_cratejoy_has_its_tracking(policy, steps):
    now_at = Standing(State.CONFIRMED, may_exist=True)

    for seen in steps:
        now_at = standing(decide(now_at, seen, policy, 0))

    assert now_at.state is State.CONFIRMED


@settings(max_examples=100)
@given(policy=POLICIES, steps=st.lists(st.sampled_from(Seen), max_size=30))
def test_a_wanted_cancel_is_kept_only_while_the_outcome_is_unknown(policy, steps):
    now_at = NEVER_SEEN

    for seen in steps:
        now_at = standing(decide(now_at, seen, policy, 0))
        assert not now_at.is_cancel_wanted or now_at.state in {State.SENDING, State.UNKNOWN}


def _first_without_condition(rows):
    return next(number for number, row in enumerate(rows) if row.when is None)
