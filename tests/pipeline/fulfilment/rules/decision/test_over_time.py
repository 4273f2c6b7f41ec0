"""What several sights of one order come to: remembered cancels, orders that are missing, notices and failures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.decision.decide import decide
from pipeline.fulfilment.rules.decision.words import Action, Policy, Seen, Standing

POLICY = Policy()
NO_CANCEL = Policy(can_cancel=False)
UNCHECKED = Policy(looks_up_first=False)
MINUTE_US = 60_000_000


def at(state, reason="", **more):
    return Standing(State(state), reason, **more)


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_cancel_while_the_outcome_is_unknown_is_remembered(state):
    made = decide(at(state), Seen.CANCELLED, POLICY, 0)

    assert (made.state.value, made.is_cancel_wanted) == (state, True)
    assert not decide(at(state, is_cancel_wanted=True), Seen.DUE, POLICY, 0).is_cancel_wanted


@pytest.mark.parametrize(
    ("standing", "seen", "policy", "expected"),
    [
        (at("sending", is_cancel_wanted=True), "not_found", POLICY, ("cancelled", "cancelled_before_sending", "none")),
        (at("sending", is_cancel_wanted=True), "not_done", POLICY, ("cancelled", "cancelled_before_sending", "none")),
        (at("sending", is_cancel_wanted=True), "rejected", POLICY, ("cancelled", "cancelled_before_sending", "none")),
        (at("sending", is_cancel_wanted=True), "created", POLICY, ("cancel_requested", "", "ask_cancel")),
        (at("sending", is_cancel_wanted=True), "created", NO_CANCEL, ("cancel_refused", "unsupported", "none")),
        (at("sending", is_cancel_wanted=True), "may_be_done", POLICY, ("cancel_requested", "", "ask_cancel")),
        (at("sending", is_cancel_wanted=True, may_exist=True), "not_done", POLICY, ("unknown", "", "look_up")),
        (at("sending", is_cancel_wanted=True, may_exist=True), "not_found", POLICY, ("unknown", "", "none")),
        (at("unknown", is_cancel_wanted=True, may_exist=True), "found", POLICY, ("cancel_requested", "", "ask_cancel")),
        (
            at("unknown", is_cancel_wanted=True, may_exist=True),
            "found_cancelled",
            POLICY,
            ("cancelled", "cancelled_at_cratejoy", "none"),
        ),
        (
            at("unknown", is_cancel_wanted=True, may_exist=True),
            "cannot_look_up",
            POLICY,
            ("cancel_requested", "", "ask_cancel"),
        ),
    ],
)
def test_a_remembered_cancel_is_acted_on_when_the_outcome_is_known(standing, seen, policy, expected):
    made = decide(standing, Seen(seen), policy, 0)

    assert (made.state.value, made.reason, made.action.value) == expected


@pytest.mark.parametrize(
    ("state", "wanted", "expected"),
    [
        ("unknown", False, ("ready", "", "none")),
        ("unknown", True, ("cancelled", "cancelled_before_sending", "none")),
        ("cancel_requested", False, ("cancelled", "cancelled_at_cratejoy", "none")),
        ("at_warehouse", False, ("at_warehouse", "", "none")),
    ],
)
def test_an_order_is_missing_only_if_it_was_not_found_twice_five_minutes_apart(state, wanted, expected):
    first = at(state, may_exist=True, is_cancel_wanted=wanted)

    once = decide(first, Seen.NOT_FOUND, POLICY, 0)
    missed = replace(first, missed_at=once.missed_at)
    too_soon = decide(missed, Seen.NOT_FOUND, POLICY, 5 * MINUTE_US - 1)
    again = decide(missed, Seen.NOT_FOUND, POLICY, 5 * MINUTE_US)

    assert (once.state.value, once.missed_at, once.wait_s) == (state, 0, 300)
    assert (too_soon.state.value, too_soon.missed_at) == (state, 0)
    assert (again.state.value, again.reason, again.action.value) == expected


def test_an_order_that_is_found_in_between_is_not_missing():
    missed = at("at_warehouse", may_exist=True, missed_at=0)

    assert decide(missed, Seen.FOUND, POLICY, MINUTE_US).missed_at is None
    assert decide(missed, Seen.DUE, POLICY, MINUTE_US).missed_at == 0


@pytest.mark.parametrize(
    ("standing", "seen", "notice"),
    [
        (at("at_warehouse"), "unpaid", "unpaid_after_sending"),
        (at("unknown"), "unpaid", "unpaid_after_sending"),
        (at("at_warehouse"), "gone", "shipment_gone"),
        (at("cancel_requested"), "due", "cancelled_while_pending"),
        (at("at_warehouse", missed_at=-10 * MINUTE_US), "not_found", "not_at_warehouse"),
        (at("at_warehouse"), "tracking_overdue", "no_tracking"),
        (at("confirmed"), "extra_package", "more_packages"),
        (at("at_warehouse"), "holds", ""),
        (at("at_warehouse"), "due_changed", ""),
    ],
)
def test_a_person_is_shown_what_changes_no_state(standing, seen, notice):
    made = decide(standing, Seen(seen), POLICY, 0)

    assert (made.state, made.notice) == (standing.state, notice)


@pytest.mark.parametrize(
    ("standing", "seen", "is_failure"),
    [
        (at("sending"), "not_done", True),
        (at("sending"), "not_now", False),
        (at("unknown"), "not_done", True),
        (at("confirming"), "confirm_later", True),
        (at("confirming"), "not_now", False),
        (at("cancel_requested"), "cancel_unknown", True),
    ],
)
def test_a_rate_limit_is_no_failed_attempt(standing, seen, is_failure):
    assert decide(standing, Seen(seen), POLICY, 0).is_failure is is_failure


def test_a_release_of_a_conflict_looks_the_order_up_again():
    released = decide(at("held", "conflict", may_exist=True), Seen.RELEASE, UNCHECKED, 0)

    assert released.state is State.READY
    assert decide(at("ready", may_exist=released.may_exist), Seen.TURN, UNCHECKED, 0).action is Action.LOOK_UP


@pytest.mark.parametrize(("policy", "notice"), [(POLICY, "more_packages"), (Policy(confirms_first_package=True), "")])
def test_a_further_parcel_is_news_only_if_it_was_not_expected(policy, notice):
    assert decide(at("confirmed"), Seen.EXTRA_PACKAGE, policy, 0).notice == notice
