"""What a backfill's row says about how far it has come."""

from __future__ import annotations

from pipeline.backfill.progress import build_progress
from pipeline.ledger.backfills import BackfillRow
from tests.builders import NOW

SECOND = 1_000_000


def a_row(**changes):
    fresh = {"id": 1, "store_id": 1, "kind": "all", "state": "running", "phase": "customers", "cursor": "?page=3"}
    counts = dict.fromkeys(("steps", "phase_pages", "barren", "pages", "paused_us", "throttled_us", "waited_us"), 0)
    times = {"started_at": NOW, "ended_at": None, "paused_at": None, "next_step_at": NOW, "changes_since": None}
    return BackfillRow(
        **{**fresh, **counts, **times, "done": {}, "totals": {}, "attempts": 0, "tally": None, "error": None, **changes}
    )


TOTALS = {"subscriptions": 300, "orders": 300, "customers": 400}
HALF = {"done": {"subscriptions": 300, "orders": 200}, "totals": TOTALS, "pages": 5}


def test_the_pages_left_follow_from_what_a_page_has_brought_so_far():
    assert build_progress(a_row(**HALF), NOW + 10 * SECOND).pages_total == 10


def test_the_time_left_follows_from_the_rate_so_far():
    shown = build_progress(a_row(**HALF), NOW + 10 * SECOND)

    assert (shown.pages_per_second, shown.seconds_left) == (0.5, 10.0)


def test_a_pause_counts_neither_for_the_rate_nor_for_the_time():
    resumed = build_progress(a_row(**HALF, paused_us=100 * SECOND), NOW + 110 * SECOND)
    paused = build_progress(a_row(**HALF, paused_at=NOW + 10 * SECOND), NOW + 500 * SECOND)

    assert [(one.seconds, one.pages_per_second) for one in (resumed, paused)] == [(10.0, 0.5)] * 2


def test_what_is_not_counted_yet_is_not_guessed():
    shown = build_progress(a_row(phase="counting", totals={"customers": 400}), NOW + SECOND)

    assert (shown.customers_total, shown.pages_total, shown.seconds_left) == (400, None, None)


def test_one_that_has_ended_has_nothing_left():
    shown = build_progress(a_row(**HALF, state="done", ended_at=NOW + 10 * SECOND), NOW + 999 * SECOND)

    assert (shown.pages_total, shown.seconds, shown.seconds_left, shown.next_step_at) == (5, 10.0, None, None)


def test_a_store_that_grows_meanwhile_has_no_pages_less_than_none_left():
    grown = a_row(done={"subscriptions": 310, "orders": 300, "customers": 400}, totals=TOTALS, pages=10)

    assert build_progress(grown, NOW + 10 * SECOND).pages_total == 10
