"""The doctor finds kept counts that are wrong, and changes that are not folded."""

from __future__ import annotations

import pytest

from pipeline.ledger.counts.changes import add_changes
from pipeline.ledger.counts.keys import HOUR_US, CountKey
from pipeline.ledger.engine import writing
from receiver.doctor import counts

NOW_S = 1_772_470_000


def findings(installed):
    return [
        (finding.state, finding.advice) for finding in counts.check_counts(installed.process.settings, lambda: NOW_S)
    ]


def test_nothing_is_wrong_in_an_empty_ledger(installed):
    assert findings(installed) == [("ok", "")]


@pytest.mark.parametrize(("hours", "state"), [(2, "wrong"), (70, "ok")])
def test_a_wrong_count_of_the_last_two_days_names_the_command(installed, hours, state):
    with writing(installed.process.engine) as conn:
        hour = NOW_S * 1_000_000 // HOUR_US - hours
        add_changes(conn, {CountKey(0, hour, "x", "dead"): 1})

    ((found, advice),) = findings(installed)
    assert (found, "cratewire flow recount" in advice) == (state, state == "wrong")


def test_changes_that_are_not_folded_name_the_task(installed, monkeypatch):
    monkeypatch.setattr(counts, "MAX_CHANGES", 0)
    with writing(installed.process.engine) as conn:
        add_changes(conn, {CountKey(0, 1, "x", "dead"): 1})

    ((found, advice),) = findings(installed)
    assert (found, "counts.sweep" in advice) == ("wrong", True)
