"""The rows of the tables, one by one: what is so, what is seen, what becomes of it."""

from __future__ import annotations

import pytest

from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.decision.decide import decide
from pipeline.fulfilment.rules.decision.words import NEVER_SEEN, Policy, Seen, Standing

POLICY = Policy()
NO_CANCEL = Policy(can_cancel=False)
FIRST = Policy(confirms_first_package=True)
BLIND = Policy(can_look_up=False)
SAFE = Policy(can_look_up=False, repeats_safely=True)
UNCHECKED = Policy(looks_up_first=False)
REFUSING = Policy(refuses_duplicates=True)
MINUTE_US = 60_000_000


def after(standing, seen, policy=POLICY, now=0, reason="given"):
    made = decide(standing, Seen(seen), policy, now, reason)
    return made.state.value, made.reason, made.action.value


def at(state, reason="", **more):
    return Standing(State(state), reason, **more)


@pytest.mark.parametrize(
    ("seen", "state", "reason"),
    [
        ("waits", "discovered", "given"),
        ("holds", "held", "given"),
        ("unpaid", "held", "given"),
        ("due", "ready", ""),
        ("excluded", "skipped", "given"),
        ("cancelled", "skipped", "cancelled_before_load"),
        ("shipped_elsewhere", "skipped", "already_shipped"),
        ("gone", "skipped", "shipment_gone"),
    ],
)
def test_a_shipment_that_is_seen_for_the_first_time_is_what_it_is(seen, state, reason):
    assert after(NEVER_SEEN, seen) == (state, reason, "none")


@pytest.mark.parametrize("state", ["discovered", "held", "ready", "skipped"])
@pytest.mark.parametrize(
    ("seen", "next_state"),
    [("waits", "discovered"), ("holds", "held"), ("due", "ready"), ("due_changed", "ready"), ("excluded", "skipped")],
)
def test_until_it_is_sent_a_box_is_what_its_shipment_is_at_each_sight(state, seen, next_state):
    assert after(at(state, "type_disabled"), seen)[0] == next_state


@pytest.mark.parametrize("state", ["discovered", "held", "ready"])
def test_a_box_that_is_cancelled_before_it_is_sent_is_never_sent(state):
    assert after(at(state, "unpaid"), "cancelled") == ("cancelled", "cancelled_before_sending", "none")


@pytest.mark.parametrize("state", ["discovered", "held", "ready", "skipped"])
def test_a_box_that_is_marked_before_it_is_sent_is_left_out(state):
    assert after(at(state, "unpaid"), "shipped_elsewhere") == ("skipped", "already_shipped", "none")


@pytest.mark.parametrize(
    ("standing", "seen", "policy", "expected"),
    [
        # 4.4: the look-up, the create, and what is answered.
        (at("ready"), "turn", POLICY, ("sending", "", "look_up")),
        (at("ready"), "turn", UNCHECKED, ("sending", "", "create")),
        (at("ready", may_exist=True), "turn", UNCHECKED, ("sending", "", "look_up")),
        (at("ready"), "turn", REFUSING, ("sending", "", "create")),
        (at("ready", may_exist=True), "turn", REFUSING, ("sending", "", "look_up")),
        (at("sending"), "exists", BLIND, ("held", "conflict", "none")),
        (at("sending", may_exist=True), "exists", SAFE, ("unknown", "", "look_up")),
        (at("ready"), "turn", BLIND, ("sending", "", "create")),
        (at("ready", may_exist=True), "turn", BLIND, ("held", "outcome_unknown", "none")),
        (at("ready", may_exist=True), "turn", SAFE, ("sending", "", "create")),
        (at("sending"), "turn", POLICY, ("sending", "", "none")),
        (at("sending"), "not_found", POLICY, ("sending", "", "create")),
        (at("sending"), "found", POLICY, ("at_warehouse", "", "none")),
        (at("sending"), "found_other", POLICY, ("held", "conflict", "none")),
        (at("sending"), "found_cancelled", POLICY, ("cancelled_at_warehouse", "cancelled_by_warehouse", "none")),
        (at("sending"), "created", POLICY, ("at_warehouse", "", "none")),
        (at("sending"), "exists", POLICY, ("unknown", "number_taken", "look_up")),
        (at("sending"), "rejected", POLICY, ("held", "rejected_by_warehouse", "none")),
        (at("sending"), "not_done", POLICY, ("ready", "", "none")),
        (at("sending"), "not_now", POLICY, ("ready", "", "none")),
        (at("sending"), "outcome_unknown", POLICY, ("unknown", "", "none")),
        (at("sending"), "may_be_done", SAFE, ("ready", "", "none")),
        (at("sending"), "may_be_done", POLICY, ("unknown", "", "none")),
        (at("sending"), "stuck", POLICY, ("unknown", "", "look_up")),
        (at("sending"), "exhausted", POLICY, ("failed", "delivery_failed", "none")),
        (at("unknown"), "turn", POLICY, ("unknown", "", "look_up")),
        (at("unknown"), "found", POLICY, ("at_warehouse", "", "none")),
        (at("unknown"), "found_other", POLICY, ("held", "conflict", "none")),
        (at("unknown"), "not_done", POLICY, ("unknown", "", "none")),
        (at("unknown"), "cannot_look_up", BLIND, ("held", "outcome_unknown", "none")),
        (at("unknown"), "cannot_look_up", SAFE, ("ready", "", "none")),
        (at("unknown"), "exhausted", POLICY, ("failed", "delivery_failed", "none")),
        # What was refused goes out again only if it is another.
        (at("held", "rejected_by_warehouse"), "due", POLICY, ("held", "rejected_by_warehouse", "none")),
        (at("held", "rejected_by_warehouse"), "due_changed", POLICY, ("ready", "", "none")),
        (at("held", "conflict", may_exist=True), "due_changed", POLICY, ("held", "conflict", "none")),
        (at("held", "conflict", may_exist=True), "cancelled", POLICY, ("held", "conflict", "none")),
        (at("at_warehouse", may_exist=True), "rejected", POLICY, ("held", "rejected_by_warehouse", "none")),
        # 4.5: parcels.
        (at("at_warehouse", may_exist=True), "complete", POLICY, ("shipped", "", "confirm")),
        (at("unknown", may_exist=True), "complete", POLICY, ("shipped", "", "confirm")),
        (at("sending"), "complete", POLICY, ("shipped", "", "confirm")),
        (at("cancel_requested", may_exist=True), "complete", POLICY, ("shipped", "", "confirm")),
        (at("cancel_refused", may_exist=True), "complete", POLICY, ("shipped", "", "confirm")),
        (at("at_warehouse", may_exist=True), "partial", POLICY, ("partially_shipped", "", "none")),
        (at("at_warehouse", may_exist=True), "partial", FIRST, ("partially_shipped", "", "confirm")),
        (at("partially_shipped", may_exist=True), "complete", POLICY, ("shipped", "", "confirm")),
        (at("confirmed", may_exist=True), "complete", POLICY, ("confirmed", "", "acknowledge")),
        (at("confirmed", may_exist=True), "extra_package", POLICY, ("confirmed", "", "acknowledge")),
        (at("confirmed", may_exist=True), "extra_package", FIRST, ("confirmed", "", "acknowledge")),
        (
            at("confirmed", may_exist=True),
            "extra_package",
            Policy(updates_tracking=True),
            ("confirmed", "", "update_tracking"),
        ),
        (at("cancelled", may_exist=True), "complete", POLICY, ("shipped_after_cancel", "parcel_after_cancel", "none")),
        (at("cancelled"), "partial", POLICY, ("shipped_after_cancel", "parcel_after_cancel", "none")),
        (at("ready"), "complete", POLICY, ("ready", "", "quarantine")),
        (at("held", "unpaid"), "partial", POLICY, ("held", "unpaid", "quarantine")),
        (at("skipped", "too_old"), "complete", POLICY, ("skipped", "too_old", "quarantine")),
        (at("ready", may_exist=True), "complete", POLICY, ("shipped", "", "confirm")),
        (at("failed", "delivery_failed", may_exist=True), "complete", POLICY, ("shipped", "", "confirm")),
        (at("failed", "delivery_failed"), "complete", POLICY, ("failed", "delivery_failed", "quarantine")),
        (at("at_warehouse", may_exist=True), "without_tracking", POLICY, ("at_warehouse", "", "none")),
        # 4.5: writing to Cratejoy.
        (at("shipped"), "confirm_turn", POLICY, ("confirming", "", "confirm")),
        (at("partially_shipped"), "confirm_turn", POLICY, ("partially_shipped", "", "none")),
        (at("partially_shipped"), "confirm_turn", FIRST, ("confirming", "", "confirm")),
        (at("confirming"), "confirm_done", POLICY, ("confirmed", "", "acknowledge")),
        (at("confirming"), "confirm_later", POLICY, ("shipped", "", "none")),
        (at("confirming"), "stuck", POLICY, ("shipped", "", "confirm")),
        (at("confirming"), "shipped_as_ours", POLICY, ("confirmed", "", "acknowledge")),
        (at("confirming"), "other_tracking", POLICY, ("externally_shipped", "other_tracking", "none")),
        (at("confirming"), "cancelled", POLICY, ("shipped_after_cancel", "parcel_after_cancel", "none")),
        (at("confirming", "written_by_person"), "cancelled", POLICY, ("confirming", "written_by_person", "none")),
        (at("confirming"), "gone", POLICY, ("failed", "shipment_gone", "none")),
        (at("confirming"), "confirm_rejected", POLICY, ("failed", "confirm_rejected", "none")),
        (at("shipped"), "exhausted", POLICY, ("failed", "confirm_failed", "none")),
        (at("confirmed"), "shipped_as_ours", POLICY, ("confirmed", "", "none")),
        (at("confirmed"), "shipped_elsewhere", POLICY, ("confirmed", "", "none")),
        # 4.6: cancels.
        (at("at_warehouse", may_exist=True), "cancelled", POLICY, ("cancel_requested", "", "ask_cancel")),
        (at("partially_shipped", may_exist=True), "cancelled", POLICY, ("cancel_requested", "", "ask_cancel")),
        (at("at_warehouse", may_exist=True), "cancelled", NO_CANCEL, ("cancel_refused", "unsupported", "none")),
        (at("ready", may_exist=True), "cancelled", POLICY, ("cancel_requested", "", "ask_cancel")),
        (at("cancel_requested"), "cancel_done", POLICY, ("cancelled", "cancelled_at_cratejoy", "none")),
        (at("cancel_requested"), "cancel_pending", POLICY, ("cancel_requested", "cancel_pending", "none")),
        (at("cancel_requested"), "cancel_refused", POLICY, ("cancel_refused", "too_late", "none")),
        (at("cancel_requested"), "cancel_unsupported", POLICY, ("cancel_refused", "unsupported", "none")),
        (at("cancel_requested"), "cancel_unknown", POLICY, ("cancel_requested", "", "none")),
        (at("cancel_requested"), "exhausted", POLICY, ("cancel_refused", "no_answer", "none")),
        (at("cancel_requested"), "found", POLICY, ("cancel_requested", "", "ask_cancel")),
        (at("cancel_requested", "cancel_pending"), "found", POLICY, ("cancel_requested", "cancel_pending", "none")),
        (at("cancel_requested"), "found_cancelled", POLICY, ("cancelled", "cancelled_at_cratejoy", "none")),
        (at("cancel_requested"), "warehouse_cancelled", POLICY, ("cancelled", "cancelled_at_cratejoy", "none")),
        (at("cancelled", may_exist=True), "created", POLICY, ("cancel_requested", "", "ask_cancel")),
        (at("cancelled", may_exist=True), "due", POLICY, ("held", "uncancelled", "none")),
        (at("cancelled"), "due", POLICY, ("ready", "", "none")),
        (at("held", "uncancelled", may_exist=True), "due", POLICY, ("held", "uncancelled", "none")),
        (
            at("held", "uncancelled", may_exist=True),
            "cancelled",
            POLICY,
            ("cancelled", "cancelled_at_cratejoy", "none"),
        ),
        (at("held", "uncancelled", may_exist=True), "release", POLICY, ("held", "uncancelled", "none")),
        (at("cancel_refused", "too_late"), "due", POLICY, ("at_warehouse", "", "none")),
        (
            at("at_warehouse"),
            "warehouse_cancelled",
            POLICY,
            ("cancelled_at_warehouse", "cancelled_by_warehouse", "none"),
        ),
        (at("cancelled_at_warehouse"), "complete", POLICY, ("shipped", "", "confirm")),
        (at("at_warehouse"), "shipped_elsewhere", POLICY, ("externally_shipped", "marked_at_cratejoy", "none")),
        (
            at("at_warehouse"),
            "shipped_elsewhere",
            Policy(cancels_if_externally_shipped=True),
            ("externally_shipped", "marked_at_cratejoy", "ask_cancel"),
        ),
        # What a person may do.
        (at("held", "unpaid"), "release", POLICY, ("ready", "released_by_person", "none")),
        (at("discovered", "cooling_off"), "release", POLICY, ("ready", "released_by_person", "none")),
        (at("skipped", "too_old"), "release", POLICY, ("ready", "released_by_person", "none")),
        (at("skipped", "already_shipped"), "release", POLICY, ("skipped", "already_shipped", "none")),
        (at("held", "outcome_unknown", may_exist=True), "release", BLIND, ("held", "outcome_unknown", "none")),
        (at("held", "outcome_unknown", may_exist=True), "mark_sent", BLIND, ("at_warehouse", "", "none")),
        (at("held", "unpaid"), "mark_sent", POLICY, ("held", "unpaid", "none")),
        (at("failed", "delivery_failed"), "retry", POLICY, ("ready", "retried_by_person", "none")),
        (
            at("failed", "delivery_failed", may_exist=True),
            "retry",
            POLICY,
            ("unknown", "retried_by_person", "look_up"),
        ),
        (at("failed", "confirm_failed"), "retry", POLICY, ("shipped", "retried_by_person", "confirm")),
        (at("cancel_refused", "too_late"), "retry", POLICY, ("cancel_requested", "", "ask_cancel")),
        (at("shipped_after_cancel"), "write_tracking", POLICY, ("shipped", "written_by_person", "confirm")),
        (at("shipped_after_cancel"), "ignore", POLICY, ("shipped_after_cancel", "seen_by_person", "acknowledge")),
        (at("cancel_refused", "too_late"), "ignore", POLICY, ("cancel_refused", "seen_by_person", "none")),
        (at("at_warehouse"), "ignore", POLICY, ("at_warehouse", "", "none")),
    ],
)
def test_each_row_of_the_tables(standing, seen, policy, expected):
    assert after(standing, seen, policy) == expected


_MARKED = ("externally_shipped", "marked_at_cratejoy", "none")


@pytest.mark.parametrize(
    ("standing", "seen", "policy", "expected"),
    [
        # An earlier call may have left an order there.
        (at("ready", may_exist=True), "cancelled", NO_CANCEL, ("cancel_refused", "unsupported", "none")),
        (at("ready", may_exist=True), "shipped_elsewhere", POLICY, _MARKED),
        (at("ready", may_exist=True), "gone", POLICY, ("failed", "shipment_gone", "none")),
        (at("ready", may_exist=True), "partial", POLICY, ("partially_shipped", "", "none")),
        (at("ready"), "created", POLICY, ("at_warehouse", "", "none")),
        (at("failed", "delivery_failed"), "created", POLICY, ("at_warehouse", "", "none")),
        (at("cancelled"), "created", NO_CANCEL, ("cancel_refused", "unsupported", "none")),
        # Held for the warehouse or for a person.
        (at("held", "outcome_unknown", may_exist=True), "cancelled", POLICY, ("cancel_requested", "", "ask_cancel")),
        (
            at("held", "outcome_unknown", may_exist=True),
            "cancelled",
            NO_CANCEL,
            ("cancel_refused", "unsupported", "none"),
        ),
        (at("held", "outcome_unknown", may_exist=True), "shipped_elsewhere", POLICY, _MARKED),
        (at("held", "conflict", may_exist=True), "complete", POLICY, ("held", "conflict", "quarantine")),
        (at("held", "uncancelled", may_exist=True), "complete", POLICY, ("shipped", "", "confirm")),
        (at("held", "unpaid"), "retry", POLICY, ("ready", "retried_by_person", "none")),
        (at("ready"), "retry", POLICY, ("ready", "retried_by_person", "none")),
        # Cancelled, and something else after all.
        (at("cancelled"), "waits", POLICY, ("discovered", "given", "none")),
        (at("cancelled"), "holds", POLICY, ("held", "given", "none")),
        (at("cancelled"), "excluded", POLICY, ("skipped", "given", "none")),
        (at("cancelled"), "shipped_elsewhere", POLICY, ("skipped", "already_shipped", "none")),
        (at("cancelled", may_exist=True), "shipped_elsewhere", POLICY, _MARKED),
        (at("cancelled", may_exist=True), "holds", POLICY, ("held", "uncancelled", "none")),
        (at("cancelled_at_warehouse"), "cancelled", POLICY, ("cancelled", "cancelled_at_cratejoy", "none")),
        (at("cancelled_at_warehouse"), "shipped_elsewhere", POLICY, _MARKED),
        (at("cancelled_at_warehouse"), "partial", POLICY, ("partially_shipped", "", "none")),
        (at("cancel_refused", "too_late"), "partial", POLICY, ("shipped_after_cancel", "parcel_after_cancel", "none")),
        (at("cancel_refused", "too_late"), "rejected", POLICY, ("cancelled", "cancelled_at_cratejoy", "none")),
        (at("cancel_refused", "too_late"), "cancel_done", POLICY, ("cancelled", "cancelled_at_cratejoy", "none")),
        (at("sending", is_cancel_wanted=True), "may_be_done", NO_CANCEL, ("cancel_refused", "unsupported", "none")),
        (at("unknown", is_cancel_wanted=True), "cannot_look_up", NO_CANCEL, ("cancel_refused", "unsupported", "none")),
        (
            at("unknown", is_cancel_wanted=True),
            "warehouse_cancelled",
            POLICY,
            ("cancelled", "cancelled_at_cratejoy", "none"),
        ),
        (
            at("partially_shipped"),
            "warehouse_cancelled",
            POLICY,
            ("cancelled_at_warehouse", "partly_shipped_and_cancelled", "none"),
        ),
        # Shipped, or said to be.
        (at("shipped_after_cancel"), "due", POLICY, ("shipped", "", "confirm")),
        (at("shipped_after_cancel"), "shipped_as_ours", POLICY, ("confirmed", "", "acknowledge")),
        (at("externally_shipped"), "due", POLICY, ("at_warehouse", "", "none")),
        (at("externally_shipped"), "complete", POLICY, ("externally_shipped", "", "acknowledge")),
        (at("externally_shipped"), "cancel_done", POLICY, ("externally_shipped", "seen_by_person", "none")),
        (at("shipped"), "confirm_done", POLICY, ("confirmed", "", "acknowledge")),
        (at("confirming", "written_by_person"), "not_done", POLICY, ("shipped", "written_by_person", "none")),
        (at("confirming", "written_by_person"), "not_now", POLICY, ("shipped", "written_by_person", "none")),
        (at("shipped"), "retry", POLICY, ("shipped", "", "confirm")),
        (at("unknown"), "retry", POLICY, ("unknown", "", "look_up")),
        # Given up.
        (at("failed", "delivery_failed"), "cancelled", POLICY, ("cancelled", "cancelled_before_sending", "none")),
        (at("failed", "delivery_failed"), "shipped_elsewhere", POLICY, ("skipped", "already_shipped", "none")),
        (at("failed", "delivery_failed"), "excluded", POLICY, ("skipped", "given", "none")),
        *(
            (at("failed", "delivery_failed", may_exist=True), seen, POLICY, ("failed", "delivery_failed", "none"))
            for seen in ("cancelled", "shipped_elsewhere", "excluded")
        ),
        (at("failed", "confirm_failed", may_exist=True), "complete", POLICY, ("failed", "confirm_failed", "none")),
        (at("failed", "seen_by_person", may_exist=True), "complete", POLICY, ("failed", "seen_by_person", "none")),
        (at("failed", "delivery_failed", may_exist=True), "shipped_as_ours", POLICY, ("confirmed", "", "acknowledge")),
    ],
)
def test_each_row_of_what_seldom_happens(standing, seen, policy, expected):
    assert after(standing, seen, policy) == expected
