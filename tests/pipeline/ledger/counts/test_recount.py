"""A count that is not what the rows say is found and corrected; what has no rows any more is left alone."""

from __future__ import annotations

import pytest

from pipeline.ledger.counts.changes import add_changes, add_repeats
from pipeline.ledger.counts.fold import fold_changes, raise_mark
from pipeline.ledger.counts.keys import HOUR_US, NO_NAME, CountKey
from pipeline.ledger.counts.recount import (
    Difference,
    correct_counts,
    find_differences,
    find_total_differences,
)
from pipeline.ledger.engine import writing
from tests.pipeline.ledger.rows import NOW, add_dead_hook, add_event

HOUR = NOW // HOUR_US
DAY = HOUR // 24


def fill(conn, shop):
    """Two events of which one was recovered and repeated, and a dead hook; of all these nothing is counted."""
    add_event(conn, shop.store.id, 1)
    event_id = add_event(conn, shop.store.id, 2, source="reconcile", outcome="nobody")
    add_repeats(conn, {(shop.store.id, event_id, HOUR): 2})
    add_dead_hook(conn, store_id=shop.store.id)
    return {"forwarded": 1, "nobody": 1, "recovered": 1, "duplicate": 2, "dead": 1}


@pytest.mark.parametrize("is_folded", [False, True])
def test_counts_that_agree_with_the_rows_have_no_difference(shop, is_folded):
    with writing(shop.engine) as conn:
        for outcome, number in fill(conn, shop).items():
            name = NO_NAME if outcome == "recovered" else "order_new"
            add_changes(conn, {CountKey(shop.store.id, HOUR, name, outcome): number})
        if is_folded:
            fold_changes(conn)

        assert (find_differences(conn), find_total_differences(conn)) == ([], [])


def test_what_is_missing_and_what_is_too_much_is_found_and_corrected(shop):
    mine = shop.store.id
    with writing(shop.engine) as conn:
        expected = fill(conn, shop)
        add_changes(conn, {CountKey(mine, HOUR, "order_new", "test"): 1})
        fold_changes(conn)

        found = find_differences(conn)
        totals = find_total_differences(conn)
        correct_counts(conn, [*found, *totals])
        fold_changes(conn)

        wrong = {**expected, "test": -1}
        assert [one for one in found if one.what == "hour"] == [
            Difference(mine, "hour", HOUR, outcome, wrong[outcome]) for outcome in sorted(wrong)
        ]
        assert [(one.when, one.outcome, one.missing) for one in found if one.what == "day"] == [
            (DAY, outcome, wrong[outcome]) for outcome in sorted(wrong)
        ]
        assert {one.outcome: one.missing for one in totals} == {"forwarded": 1, "nobody": 1, "dead": 1, "test": -1}
        assert (find_differences(conn), find_total_differences(conn)) == ([], [])


def test_hours_of_which_rows_were_deleted_are_not_compared(shop):
    with writing(shop.engine) as conn:
        fill(conn, shop)
        for name in ("events", "dead_hooks"):
            raise_mark(conn, name, HOUR)

        assert [(one.what, one.outcome) for one in find_differences(conn)] == [
            ("hour", "duplicate"),
            ("day", "duplicate"),
        ]
        raise_mark(conn, "hours", HOUR)
        assert find_differences(conn) == []


def test_hours_before_the_first_one_asked_for_are_not_compared(shop):
    with writing(shop.engine) as conn:
        fill(conn, shop)

        assert find_differences(conn, HOUR + 24) == []
