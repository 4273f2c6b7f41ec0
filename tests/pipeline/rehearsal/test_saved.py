"""A rehearsal that a page asked for: run once, and saved without any value."""

from __future__ import annotations

import json
import os

import pytest

from pipeline.infra.memory import MEGABYTE
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.rehearsals import (
    KEPT,
    accept_rehearsal,
    begin_rehearsal,
    end_rehearsal,
    fail_stuck_rehearsals,
    find_rehearsal,
    insert_rehearsal,
    list_rehearsals,
)
from pipeline.mapping.rules import ConnectionMapping, format_mapping
from pipeline.rehearsal import saved
from pipeline.rehearsal.change import RehearsedChange, dump_change
from pipeline.rehearsal.run import FOLDER, remove_left_over
from tests.builders import NOW
from tests.pipeline.rehearsal.conftest import CONNECTION

MAPPING = ConnectionMapping({"order_new": "Placed Order"}, {})
CHANGE = RehearsedChange({CONNECTION: format_mapping(MAPPING)})


def ask(shop, change=CHANGE, *, is_waiting=True):
    with writing(shop.engine) as conn:
        return insert_rehearsal(conn, 1, dump_change(change), 400, NOW, is_waiting=is_waiting)


def find(shop, number):
    with reading(shop.engine) as conn:
        return find_rehearsal(conn, number)


@pytest.mark.slow
def test_what_it_found_is_saved_by_ids_and_fields_and_no_value(recorded):
    mapping = ConnectionMapping({"order_new": "Placed Order"}, {"first_name": None})
    number = ask(recorded, RehearsedChange({CONNECTION: format_mapping(mapping)}))

    assert saved.run_saved(recorded.context, number)

    row = find(recorded, number)
    orders = {one.id for one in recorded.dump()["events"] if one.name == "order_new"}
    (group,) = (one for one in row.report["groups"] if one["kind"] == "event")
    assert (row.state, row.hooks_done) == ("done", 60)
    assert group["fields"] == ["name"]
    assert {one["event"] for one in group["examples"]} <= orders
    assert all(one["person"] for one in group["examples"])
    text = json.dumps(row.report)
    assert "data.first_name" in text
    assert "Maren" not in text
    assert "@" not in text


def test_one_that_does_not_wait_is_not_run(recorded):
    number = ask(recorded, is_waiting=False)

    assert not saved.run_saved(recorded.context, number)
    assert not saved.run_saved(recorded.context, number + 1)


def test_only_one_runs_at_a_time(recorded):
    first, second = ask(recorded), ask(recorded)

    with writing(recorded.engine) as conn:
        begun = [begin_rehearsal(conn, number, NOW) is not None for number in (first, second)]

    assert begun == [True, False]


def test_too_little_memory_is_said_and_nothing_is_started(recorded, monkeypatch):
    monkeypatch.setattr(saved, "get_available_bytes", lambda: 100 * MEGABYTE)
    number = ask(recorded)

    saved.run_saved(recorded.context, number)

    row = find(recorded, number)
    assert row.state == "failed"
    assert "needs 400 MB of free memory, and there are 100" in row.error


def test_a_data_directory_that_cannot_be_written_to_is_said(recorded):
    (recorded.data_dir / FOLDER).write_text("in the way")
    number = ask(recorded)

    saved.run_saved(recorded.context, number)

    assert (find(recorded, number).state, "cannot be created" in find(recorded, number).error) == ("failed", True)


def test_one_whose_process_has_ended_has_failed(recorded):
    number = ask(recorded, is_waiting=False)

    with writing(recorded.engine) as conn:
        assert fail_stuck_rehearsals(conn, NOW, "ended", NOW) == 0
        assert fail_stuck_rehearsals(conn, NOW + 1, "ended", NOW) == 1

    assert (find(recorded, number).state, find(recorded, number).error) == ("failed", "ended")


def test_the_newest_are_kept(recorded):
    for _ in range(KEPT + 3):
        number = ask(recorded, is_waiting=False)
        with writing(recorded.engine) as conn:
            end_rehearsal(conn, number, NOW, report={}, differences=0, release=None)

    with reading(recorded.engine) as conn:
        kept = list_rehearsals(conn, [1])
    assert len(kept) == KEPT + 1
    assert kept[0].id == number


def test_what_is_not_done_cannot_be_accepted(recorded):
    number = ask(recorded)

    with writing(recorded.engine) as conn:
        assert not accept_rehearsal(conn, number, NOW)
        end_rehearsal(conn, number, NOW, report={}, differences=3, release="abc")
        assert accept_rehearsal(conn, number, NOW)


def test_what_a_killed_rehearsal_left_is_removed_a_day_later(recorded):
    left, fresh = (recorded.data_dir / FOLDER / name for name in ("left", "fresh"))
    for folder in (left, fresh):
        (folder / "inner").mkdir(parents=True)
    day_s = 86_400
    os.utime(left, (NOW / 1e6 - 2 * day_s,) * 2)
    os.utime(fresh, (NOW / 1e6 - 3_600,) * 2)

    assert remove_left_over(recorded.data_dir, NOW) == 1
    assert (left.exists(), fresh.exists()) == (False, True)
