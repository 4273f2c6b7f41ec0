from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.fulfilment import Package, State
from pipeline.core.fulfilment_files import ReturnedRow
from pipeline.fulfilment.returned_rows import JudgedRow, KnownBox, count_verdicts, judge_rows


def row(number: int, order: str = "SUB-1", *tracking: str, fault: str = "") -> ReturnedRow:
    return ReturnedRow(number, (order,) if order else (), tuple(map(Package, tracking)), fault)


def box(order: str = "SUB-1", state: State = State.AT_WAREHOUSE, *tracking: str, was_exported: bool = True) -> KnownBox:
    return KnownBox(order, state, was_exported, frozenset(tracking))


def judge(*rows: ReturnedRow, boxes: list[KnownBox] | None = None, owners: dict[str, str] | None = None):
    known = [box()] if boxes is None else boxes
    own = {number: one.order_number for one in known for number in one.tracking_numbers}
    return judge_rows(rows, {one.order_number: one for one in known}, own | (owners or {}))


def verdicts(*rows: ReturnedRow, **known) -> list[tuple[str, str]]:
    return [(one.verdict, one.reason) for one in judge(*rows, **known)]


def test_an_exact_and_new_match_is_written():
    assert judge(row(2, "SUB-1", "TEST1")) == (JudgedRow(2, "match", "", "SUB-1", (Package("TEST1"),)),)


@pytest.mark.parametrize(
    ("given_row", "expected"),
    [
        (row(2, "SUB-1"), ("not_shipped", "no_tracking_number")),
        (row(2, "", "TEST1"), ("unknown", "no_reference")),
        (row(2, "SUB-9", "TEST1"), ("unknown", "no_such_box")),
        (row(2, "SUB-1", fault="the date cannot be read"), ("unreadable", "the date cannot be read")),
        (ReturnedRow(2, ("SUB-1", "SUB-2"), (Package("TEST1"),)), ("ambiguous", "several_references")),
    ],
)
def test_a_row_that_is_no_match(given_row, expected):
    assert verdicts(given_row) == [expected]
    assert judge(given_row)[0].packages == ()


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (box("SUB-1", State.CONFIRMED, "TEST1"), ("already_there", "")),
        (box("SUB-1", State.SHIPPED, "TEST1", "TEST2"), ("already_there", "")),
        (box("SUB-1", State.CONFIRMED, "TEST9"), ("ambiguous", "has_another_number")),
        (box("SUB-1", State.CONFIRMED), ("ambiguous", "has_another_number")),
        (box("SUB-1", State.EXTERNALLY_SHIPPED), ("ambiguous", "has_another_number")),
        (box("SUB-1", State.PARTIALLY_SHIPPED, "TEST9"), ("ambiguous", "has_another_number")),
        (box("SUB-1", State.CANCELLED), ("ambiguous", "cancelled")),
        (box("SUB-1", State.HELD), ("ambiguous", "held")),
        (box("SUB-1", State.READY, was_exported=False), ("ambiguous", "not_exported")),
        (box("SUB-1", State.DISCOVERED, was_exported=False), ("ambiguous", "not_exported")),
        (box("SUB-1", State.AT_WAREHOUSE, was_exported=False), ("ambiguous", "not_exported")),
        (box("SUB-1", State.CANCEL_REFUSED), ("match", "")),
        (box("SUB-1", State.UNKNOWN), ("match", "")),
    ],
)
def test_what_the_ledger_knows_decides(known, expected):
    assert verdicts(row(2, "SUB-1", "TEST1"), boxes=[known]) == [expected]


def test_a_repeated_row_is_written_once():
    assert verdicts(row(2, "SUB-1", "TEST1"), row(3, "SUB-1", "TEST1")) == [
        ("match", ""),
        ("already_there", "repeated_row"),
    ]


def test_two_numbers_for_one_box_in_two_rows_go_to_a_person():
    assert verdicts(row(2, "SUB-1", "TEST1"), row(3, "SUB-1", "TEST2")) == [("ambiguous", "several_numbers")] * 2


def test_two_numbers_that_a_person_has_taken_are_already_there():
    known = [box("SUB-1", State.CONFIRMED, "TEST1", "TEST2")]

    assert verdicts(row(2, "SUB-1", "TEST1"), row(3, "SUB-1", "TEST2"), boxes=known) == [("already_there", "")] * 2


def test_a_row_without_a_number_beside_one_with_it_does_no_harm():
    assert verdicts(row(2, "SUB-1"), row(3, "SUB-1", "TEST1")) == [("not_shipped", "no_tracking_number"), ("match", "")]


def test_one_number_for_two_boxes_goes_to_a_person():
    rows = (row(2, "SUB-1", "TEST1"), row(3, "SUB-2", "TEST1"), row(4, "SUB-3", "TEST3"))

    assert verdicts(*rows, boxes=[box("SUB-1"), box("SUB-2"), box("SUB-3")]) == [
        ("ambiguous", "number_of_another_box"),
        ("ambiguous", "number_of_another_box"),
        ("match", ""),
    ]


def test_a_number_that_another_box_has_already_goes_to_a_person():
    found = verdicts(row(2, "SUB-1", "TEST1"), owners={"TEST1": "SUB-7"})

    assert found == [("ambiguous", "number_of_another_box")]


def test_verdicts_are_counted_for_the_preview():
    judged = judge(row(2, "SUB-1", "TEST1"), row(3, "", "TEST2"), row(4, "SUB-8", "TEST3"))

    assert count_verdicts(judged) == {"match": 1, "unknown": 2}


ROWS = st.lists(
    st.builds(
        row,
        st.integers(2, 99),
        st.sampled_from(["", "SUB-1", "SUB-2", "SUB-3", "SUB-4"]),
        st.sampled_from(["TEST1", "TEST2", "TEST3"]),
    ),
    max_size=12,
)


@given(ROWS, st.sets(st.sampled_from(["SUB-1", "SUB-2", "SUB-3"])))
def test_the_same_file_five_times_is_written_once_and_never_to_a_box_that_was_not_handed_out(rows, exported):
    known = {name: box(name, was_exported=name in exported) for name in ("SUB-1", "SUB-2", "SUB-3")}
    written: list[tuple[str, str]] = []
    for _ in range(5):
        owners = {number: one.order_number for one in known.values() for number in one.tracking_numbers}
        for one in judge_rows(rows, known, owners):
            if one.verdict == "match":
                numbers = [package.tracking_number for package in one.packages]
                written += [(one.order_number, number) for number in numbers]
                known[one.order_number] = box(one.order_number, State.CONFIRMED, *numbers)

    assert len({order for order, _ in written}) == len({number for _, number in written}) == len(written)
    assert {order for order, _ in written} <= exported
