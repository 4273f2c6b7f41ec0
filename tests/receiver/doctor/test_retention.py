"""The doctor reports old data that nothing deletes, and a file that cannot give its space back."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import insert

from pipeline.ledger.engine import writing
from pipeline.ledger.queries import list_kept_data
from pipeline.ledger.retention.kinds import KINDS
from pipeline.ledger.schema.core import DeadHook
from pipeline.ledger.schema.retention import RetentionProgress
from pipeline.operations.retention import DAY_US
from receiver.doctor.retention import check_retention
from tests.builders import NOW

DEAD = {"store": "acme", "version": 1, "event": "x", "receipt": "r", "stage": "decode", "reason": "empty", "raw": b""}
DAYS = dict.fromkeys((kind.name for kind in KINDS), 90)


@pytest.fixture
def ledger(installed):
    """An installation with a dead hook of the time NOW."""
    with writing(installed.process.engine) as conn:
        conn.execute(insert(DeadHook).values(**DEAD, detail={}, received_at=NOW, died_at=NOW))
    return installed


def findings(installed, days):
    return list(check_retention(installed.process.settings, lambda: (NOW + days * DAY_US) / 1e6))


def test_data_within_its_time_is_fine(ledger):
    assert [finding.state for finding in findings(ledger, 90.5)] == ["ok"]


def test_data_that_is_a_day_late_is_wrong_and_named(ledger):
    [finding] = findings(ledger, 91.5)

    assert (finding.state, "dead_hooks since 2026-03-02" in finding.says) == ("wrong", True)


@pytest.mark.parametrize(
    ("column", "at", "is_late"), [("swept_at", 91, False), ("began_at", 91, False), ("swept_at", 90, True)]
)
def test_a_pass_within_the_last_day_means_that_the_rest_must_stay(ledger, column, at, is_late):
    row = {"kind": "dead_hooks", "cursor": 0, "slice_size": 1, "deleted": 0, column: NOW + at * DAY_US}
    with writing(ledger.process.engine) as conn:
        conn.execute(insert(RetentionProgress).values(row))
        kept = {one.kind: one.is_late for one in list_kept_data(conn, DAYS, NOW + round(91.5 * DAY_US))}

    assert kept["dead_hooks"] is is_late


def test_data_that_is_kept_for_ever_is_never_late(ledger):
    with writing(ledger.process.engine) as conn:
        kept = list_kept_data(conn, dict.fromkeys(DAYS, 0), NOW + 9_000 * DAY_US)

    assert not any(one.is_late for one in kept)


def test_a_file_that_cannot_give_space_back_is_worth_a_note(installed):
    with closing(sqlite3.connect(installed.data / "cratewire.db")) as conn:
        conn.execute("PRAGMA auto_vacuum = NONE")
        conn.execute("VACUUM")

    assert [finding.name for finding in findings(installed, 0)] == ["retention", "free pages"]
