from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.fulfilment.rules.search_windows import Window, find_cancels_window, find_window, is_sweep_due
from tests.pipeline.fulfilment.rules.boxes import DAY_US, NOW, SETTINGS

EARLIEST = SETTINGS.earliest_order_at
OLD = replace(SETTINGS, earliest_order_at=EARLIEST - 400 * DAY_US)
MARK = NOW - 300_000_000


@pytest.mark.parametrize(
    ("billing_type", "settings", "watermark", "since", "until"),
    [
        ("ecom", SETTINGS, None, EARLIEST, None),
        ("adhoc", SETTINGS, None, EARLIEST, NOW + 7 * DAY_US),
        ("standard", SETTINGS, None, EARLIEST - 62 * DAY_US, NOW + 7 * DAY_US),
        ("ecom", OLD, MARK, MARK - 2 * DAY_US, None),
        ("adhoc", OLD, MARK, MARK - 2 * DAY_US, NOW + 7 * DAY_US),
        ("standard", OLD, MARK, MARK - 64 * DAY_US, NOW + 7 * DAY_US),
        (
            "standard",
            replace(OLD, standard_date_basis="adjusted_ordered_at"),
            MARK,
            MARK - 2 * DAY_US,
            NOW + 7 * DAY_US,
        ),
        ("adhoc", replace(SETTINGS, future_days=0, standard_early_days=9), None, EARLIEST, NOW + 9 * DAY_US),
        ("adhoc", SETTINGS, EARLIEST + 1, EARLIEST, NOW + 7 * DAY_US),
        ("standard", SETTINGS, EARLIEST + 1, EARLIEST - 62 * DAY_US, NOW + 7 * DAY_US),
    ],
)
def test_a_search_begins_before_the_watermark_and_ends_at_the_horizon(billing_type, settings, watermark, since, until):
    assert find_window(billing_type, settings, watermark, NOW) == Window("unshipped", since, until, billing_type)


@pytest.mark.parametrize(
    ("watermark", "last_sweep_at", "has_failed", "is_due"),
    [
        (None, None, False, True),
        (MARK, None, False, True),
        (MARK, MARK, True, True),
        (MARK, MARK, False, False),
        (MARK, NOW - DAY_US, False, True),
    ],
)
def test_everything_is_read_first_after_a_failure_and_once_a_day(watermark, last_sweep_at, has_failed, is_due):
    assert is_sweep_due(watermark, last_sweep_at, NOW, has_failed=has_failed) is is_due


def test_cancels_are_searched_for_around_now():
    assert find_cancels_window(NOW) == Window("cancelled", NOW - 90 * DAY_US, NOW + 90 * DAY_US)
