"""A row in which nothing struck does not say that it holds."""

from __future__ import annotations

from dataclasses import asdict

from bench.chaos import table
from bench.chaos.accounting import Row


def row(**more: object) -> Row:
    return Row(**(asdict(Row("spool disk full", "sqlite")) | more))


def test_a_row_that_holds_says_yes():
    assert table.cells(row())[-1] == "yes"


def test_a_row_that_could_not_strike_says_so_in_both_tables():
    skipped = row(skipped="no root")

    assert table.cells(skipped)[-1] == "skipped"
    assert table.line(skipped).splitlines()[0].endswith(" skipped")
    assert "| skipped |" in table.markdown([skipped])


def test_why_it_could_not_strike_is_printed_below():
    assert "no root" in table.line(row(skipped="no root"))


def test_a_skipped_row_does_not_hold_for_machines_either():
    document = row(skipped="no root").as_json()

    assert (document["skipped"], document["holds"]) == ("no root", False)


def test_what_was_lost_beside_a_skipped_fault_is_a_failure():
    assert table.cells(row(skipped="no root", lost=1))[-1] == "NO"
