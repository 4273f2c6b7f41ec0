"""A version that was not rehearsed does not start, where that is wanted."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.rehearsals import accept_rehearsal, end_rehearsal, insert_rehearsal
from pipeline.rehearsal.change import NO_CHANGE, dump_change
from pipeline.rehearsal.releases import check_release, note_release
from tests.builders import NOW

OLD, NEW = "0" * 12, "f" * 12


def check(shop, release=NEW):
    with reading(shop.engine) as conn:
        check_release(conn, release, "0.2.0")


def note(shop, release=OLD):
    with writing(shop.engine) as conn:
        note_release(conn, release, "0.1.0", NOW)


def rehearse(shop, differences, release=NEW):
    with writing(shop.engine) as conn:
        number = insert_rehearsal(conn, 1, dump_change(NO_CHANGE), 30, NOW, is_waiting=False)
        end_rehearsal(conn, number, NOW, report={}, differences=differences, release=release)
    return number


def test_the_first_version_and_one_that_has_run_start(empty_twin):
    check(empty_twin)
    note(empty_twin)
    note(empty_twin)
    check(empty_twin, OLD)


def test_a_version_that_was_not_rehearsed_does_not_start_and_says_what_to_do(empty_twin):
    note(empty_twin)

    with pytest.raises(Misconfigured, match=r"version 0\.2\.0 .* was not rehearsed for acme.*--against PATH --save"):
        check(empty_twin)


def test_a_rehearsal_of_yet_another_version_does_not_count(empty_twin):
    note(empty_twin)
    rehearse(empty_twin, 0, release="1" * 12)

    with pytest.raises(Misconfigured):
        check(empty_twin)


def test_a_version_without_a_difference_starts(empty_twin):
    note(empty_twin)
    rehearse(empty_twin, 0)

    check(empty_twin)


def test_differences_have_to_be_accepted(empty_twin):
    note(empty_twin)
    number = rehearse(empty_twin, 7)
    with pytest.raises(Misconfigured):
        check(empty_twin)

    with writing(empty_twin.engine) as conn:
        accept_rehearsal(conn, number, NOW)

    check(empty_twin)


def test_a_ledger_of_before_such_notes_stops_no_version(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/old.db")
    with reading(engine) as conn:
        check_release(conn, NEW, "0.2.0")
    engine.dispose()
