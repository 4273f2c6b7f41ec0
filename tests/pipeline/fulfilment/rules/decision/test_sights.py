from __future__ import annotations

from typing import get_args

import pytest

from pipeline.core.fulfilment import (
    AlreadyExists,
    AuthError,
    CancelAnswer,
    Cancelled,
    CancelPending,
    CreateAnswer,
    Created,
    FindAnswer,
    Invalid,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
    State,
    Unsupported,
    WarehouseOrder,
)
from pipeline.fulfilment.rules.decision.sights import _BY_ANSWER, see_cancel, see_create, see_find, see_shipment
from pipeline.fulfilment.rules.decision.words import Seen
from pipeline.fulfilment.rules.eligibility import Verdict, judge
from tests.pipeline.fulfilment.rules.boxes import NOW, SETTINGS, body, item, order, read

THERE = WarehouseOrder("SUB-1", "W-1", "open")
CANCELLED_THERE = WarehouseOrder("SUB-1", "W-1", "cancelled")


@pytest.mark.parametrize(
    ("answer", "comparison", "seen"),
    [
        (Created("W-1"), "not_shown", "created"),
        (AlreadyExists(), "not_shown", "exists"),
        (AlreadyExists(THERE), "same", "found"),
        (AlreadyExists(THERE), "different", "found_other"),
        (AlreadyExists(THERE), "not_shown", "found"),
        (AlreadyExists(CANCELLED_THERE), "same", "found_cancelled"),
        (Invalid(()), "not_shown", "rejected"),
        (OutcomeUnknown("timeout"), "not_shown", "outcome_unknown"),
        (Retryable("busy"), "not_shown", "not_done"),
        (Retryable("busy", may_be_done=True), "not_shown", "may_be_done"),
        (RateLimited(1), "not_shown", "not_now"),
        (AuthError("401"), "not_shown", "not_now"),
    ],
)
def test_the_answer_to_a_create_is_one_word(answer, comparison, seen):
    assert see_create(answer, comparison) is Seen(seen)


def test_an_order_that_shows_nothing_is_not_taken_for_a_box_that_was_never_sent():
    assert see_create(AlreadyExists(THERE), "not_shown", may_be_ours=False) is Seen.EXISTS
    assert see_find(THERE, "not_shown", may_be_ours=False) is Seen.FOUND_OTHER
    assert see_find(THERE, "same", may_be_ours=False) is Seen.FOUND


@pytest.mark.parametrize(
    ("answer", "comparison", "seen"),
    [
        (NotFound(), "not_shown", "not_found"),
        (THERE, "same", "found"),
        (THERE, "not_shown", "found"),
        (THERE, "different", "found_other"),
        (CANCELLED_THERE, "different", "found_cancelled"),
        (WarehouseOrder("SUB-1", "W-1", "shipped"), "same", "found"),
        (Retryable("busy"), "not_shown", "not_done"),
        (RateLimited(1), "not_shown", "not_now"),
        (AuthError("401"), "not_shown", "not_now"),
    ],
)
def test_the_answer_to_a_look_up_is_one_word(answer, comparison, seen):
    assert see_find(answer, comparison) is Seen(seen)


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (Cancelled(), "cancel_done"),
        (CancelPending(), "cancel_pending"),
        (Refused("late"), "cancel_refused"),
        (NotFound(), "not_found"),
        (Unsupported(), "cancel_unsupported"),
        (OutcomeUnknown("timeout"), "cancel_unknown"),
        (Retryable("busy"), "not_done"),
        (RateLimited(1), "not_now"),
        (AuthError("401"), "not_now"),
    ],
)
def test_the_answer_to_a_cancel_is_one_word(answer, seen):
    assert see_cancel(answer) is Seen(seen)


def test_no_answer_of_the_port_is_without_its_word():
    answers = {*get_args(CreateAnswer), *get_args(FindAnswer), *get_args(CancelAnswer)}

    assert answers - {WarehouseOrder} == set(_BY_ANSWER)


@pytest.mark.parametrize(
    ("changes", "tracking", "is_changed", "seen"),
    [
        ({}, (), False, "due"),
        ({}, (), True, "due_changed"),
        ({"batch": {"id": 5, "end": "2026-03-01T00:00:00Z"}}, (), True, "waits"),
        ({"fulfillments": []}, (), False, "holds"),
        ({"fulfillments": [item(order=order(financial_status="refunded"))]}, (), False, "unpaid"),
        ({"is_test": True}, (), False, "excluded"),
        ({"status": "cancelled"}, (), False, "cancelled"),
        ({"status": "shipped"}, (), False, "shipped_elsewhere"),
        ({"status": "shipped"}, ("T1",), False, "shipped_elsewhere"),
        ({"status": "shipped", "tracking_number": "t 1"}, ("T1",), False, "shipped_as_ours"),
        ({"status": "shipped", "tracking_number": "T1, T2"}, ("T2",), False, "shipped_as_ours"),
        ({"status": "shipped", "tracking_number": "T9"}, ("T1",), False, "shipped_elsewhere"),
    ],
)
def test_a_look_at_a_shipment_is_one_word(changes, tracking, is_changed, seen):
    shipment = read(body(**changes))
    verdict = judge(shipment, SETTINGS, NOW)

    assert see_shipment(shipment, verdict, tracking, is_changed=is_changed) is Seen(seen)


def test_a_shipment_without_a_number_is_not_ours_because_a_parcel_has_none():
    shipment = read(body(status="shipped"))

    seen = see_shipment(shipment, Verdict(State.SKIPPED, "already_shipped"), [""])

    assert seen is Seen.SHIPPED_ELSEWHERE
