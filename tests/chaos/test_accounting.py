"""The judge is judged: what is lost, doubled or out of order is seen."""

from __future__ import annotations

import pytest

from bench.chaos.accounting import Row, check_unaccepted, count_inversions, count_results
from bench.chaos.hooks import Hook
from bench.chaos.load import SentHook
from bench.chaos.platform import ArrivedEvent

ENDED = 50


def sent_hook(subject: str, at: int, *addresses: str, status: int | None = 200) -> SentHook:
    hook = Hook(at, 0, b"", subject, addresses or ("a",))
    return SentHook(hook, sent_at=at, answered_at=at + 2_000, status=status)


def arrived(subject: str, at: int, address: str = "a") -> ArrivedEvent:
    return ArrivedEvent(address, subject, at, f"{subject}-{at}")


def judged(sent: list[SentHook], held: list[ArrivedEvent], aside: tuple[tuple[str, str], ...] = ()) -> Row:
    return count_results(Row("fault", "sqlite"), sent, held, ENDED, aside=aside)


def test_what_arrived_once_is_counted_once():
    row = judged([sent_hook("1", 10), sent_hook("2", 20)], [arrived("1", 30), arrived("2", 40)])

    assert (row.accepted, row.once, row.lost, row.twice, row.out_of_order) == (2, 2, 0, 0, 0)
    assert row.holds


def test_two_bodies_that_lost_their_ids_are_two():
    assert judged([], [arrived("None", 30), arrived("None", 40)]).twice == 0


def test_what_was_accepted_and_did_not_arrive_is_lost():
    row = judged([sent_hook("1", 10)], [])

    assert row.lost == 1
    assert not row.holds


def test_a_gift_is_lost_if_one_of_the_two_has_not_received_it():
    row = judged([sent_hook("1", 10, "a", "b")], [arrived("1", 30)])

    assert (row.once, row.lost) == (0, 1)


@pytest.mark.parametrize("status", [None, 503])
def test_what_was_not_acknowledged_is_not_lost(status: int | None):
    assert judged([sent_hook("1", 10, status=status)], []).holds


def test_what_arrived_twice_is_seen():
    row = judged([sent_hook("1", 10)], [arrived("1", 30), arrived("1", 31)])

    assert (row.once, row.twice) == (0, 1)
    assert not row.holds


def test_what_was_set_aside_with_its_reason_is_not_lost():
    row = judged([sent_hook("1", 10)], [], aside=(("a", "1"),))

    assert row.holds
    assert row.notes


def test_an_event_after_a_later_one_is_out_of_order():
    sent = [sent_hook("1", 10), sent_hook("2", 20), sent_hook("3", 30)]

    assert count_inversions(sent, [arrived("1", 40), arrived("3", 41), arrived("2", 42)]) == 1


def test_people_are_judged_one_by_one():
    sent = [sent_hook("1", 10, "a"), sent_hook("2", 20, "b")]

    assert count_inversions(sent, [arrived("2", 40, "b"), arrived("1", 41, "a")]) == 0


def test_a_repeated_hook_has_its_first_place():
    sent = [sent_hook("1", 10), sent_hook("2", 20), sent_hook("1", 30)]

    assert count_inversions(sent, [arrived("1", 40), arrived("2", 41)]) == 0


def test_recovery_ends_when_a_hook_sent_after_the_fault_has_arrived():
    sent = [sent_hook("1", 10), sent_hook("2", ENDED + 1_000)]
    row = judged(sent, [arrived("1", ENDED + 500_000), arrived("2", ENDED + 2_000_000)])

    assert (row.resumed_s, row.recover_s) == (0.5, 2.0)


def test_the_worst_acknowledgement_is_that_of_an_accepted_hook():
    slow = sent_hook("1", 10, status=503)
    slow.answered_at = 9_000_000

    assert judged([slow, sent_hook("2", 20)], [arrived("2", 30)]).worst_ms == 2.0


@pytest.mark.parametrize("status", [None, 503])
def test_a_hook_that_no_one_took_breaks_a_row_in_which_no_one_was_killed_or_without_room(status: int | None):
    row = judged([sent_hook("1", 10, status=status)], [])

    assert check_unaccepted(row, refuses=False, cuts=False)


@pytest.mark.parametrize(("status", "refuses"), [(None, True), (503, False)])
def test_room_and_life_are_two_things(status: int | None, refuses: bool):  # noqa: FBT001
    row = judged([sent_hook("1", 10, status=status)], [])

    assert check_unaccepted(row, refuses=refuses, cuts=not refuses)


@pytest.mark.parametrize(("status", "refuses"), [(None, False), (503, True)])
def test_what_no_one_took_is_expected_where_that_is_the_fault(status: int | None, refuses: bool):  # noqa: FBT001
    row = judged([sent_hook("1", 10, status=status)], [])

    assert not check_unaccepted(row, refuses=refuses, cuts=not refuses)
