from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.fulfilment import Package, State, WarehouseOrder
from pipeline.fulfilment.rules.decision.words import Seen
from pipeline.fulfilment.rules.packages import list_tracking_numbers, see_packages
from tests.pipeline.fulfilment.rules.boxes import DAY_US, NOW, SETTINGS

ONE = Package("T1", shipped_at=NOW - 2)
TWO = Package("T2", shipped_at=NOW - 3)


def report(progress, *packages):
    return WarehouseOrder("SUB-1", "W-1", progress, packages)


@pytest.mark.parametrize(
    ("reported", "seen"),
    [
        (report("open"), None),
        (report("open", ONE), None),
        (report("partial"), None),
        (report("partial", ONE), Seen.PARTIAL),
        (report("shipped", ONE), Seen.COMPLETE),
        (report("shipped", ONE, TWO), Seen.COMPLETE),
        (report("shipped"), Seen.WITHOUT_TRACKING),
        (report("shipped", Package(" ")), Seen.WITHOUT_TRACKING),
        (report("cancelled"), Seen.WAREHOUSE_CANCELLED),
        (report("cancelled", ONE), Seen.WAREHOUSE_CANCELLED),
    ],
)
def test_a_report_is_read_by_its_progress_and_its_numbers(reported, seen):
    assert see_packages(reported, State.AT_WAREHOUSE, (), SETTINGS, NOW) is seen


@pytest.mark.parametrize(
    ("known", "seen"),
    [(("T1",), Seen.COMPLETE), (("t 1",), Seen.COMPLETE), ((), Seen.EXTRA_PACKAGE), (("T9",), Seen.EXTRA_PACKAGE)],
)
def test_a_parcel_that_was_not_known_is_an_extra_one_once_cratejoy_was_written_to(known, seen):
    assert see_packages(report("shipped", ONE), State.CONFIRMED, known, SETTINGS, NOW) is seen


@pytest.mark.parametrize(
    ("shipped_since", "may_confirm", "seen"),
    [
        (NOW - DAY_US + 1, True, Seen.WITHOUT_TRACKING),
        (NOW - DAY_US, False, Seen.TRACKING_OVERDUE),
        (NOW - DAY_US, True, Seen.COMPLETE),
    ],
)
def test_tracking_is_waited_for_a_day(shipped_since, may_confirm, seen):
    settings = replace(SETTINGS, confirm_without_tracking=may_confirm)

    assert see_packages(report("shipped"), State.AT_WAREHOUSE, (), settings, NOW, shipped_since=shipped_since) is seen


def test_numbers_are_listed_once_and_in_the_order_in_which_the_parcels_left():
    packages = [Package("t 3"), ONE, TWO, Package("T3"), Package("T0", shipped_at=NOW - 2)]

    assert list_tracking_numbers(packages) == ["T2", "T0", "T1", "T3"]
