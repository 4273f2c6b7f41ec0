from __future__ import annotations

import pytest

from pipeline.core.fulfilment import AuthError, NotFound, RateLimited, Retryable, ShippedPage, WarehouseOrder
from pipeline.warehouses.open_orders import find_start, make_cursor, read_singly, start_part

OPEN = [(f"SUB-{number}", str(number)) for number in range(1, 6)]
FAULT = Retryable("answered 500")


def order(number: int, progress: str = "shipped") -> WarehouseOrder:
    return WarehouseOrder(f"SUB-{number}", str(number), progress)


def read(*answers, cursor: str = "", limit: int = 5, **how):
    given = iter(answers)
    return read_singly(OPEN, cursor, lambda *_: next(given), limit=limit, **how)


@pytest.mark.parametrize(("cursor", "start"), [("", 0), ("SUB-1", 0), ("SUB-4", 3), ("SUB-9", 0)])
def test_a_part_begins_with_the_order_of_its_cursor(cursor, start):
    assert find_start(OPEN, cursor) == start


@pytest.mark.parametrize(("position", "cursor"), [(0, "SUB-1"), (4, "SUB-5"), (5, "")])
def test_after_the_last_order_there_is_no_cursor(position, cursor):
    assert make_cursor(OPEN, position) == cursor


def test_orders_that_leave_the_list_make_no_other_be_skipped():
    left = OPEN[1:]

    assert find_start(left, make_cursor(OPEN, 2)) == 1


def test_open_and_missing_orders_are_left_out():
    page = read(order(1), order(2, "open"), NotFound(), order(4, "cancelled"), order(5, "partial"))

    assert page == ShippedPage((order(1), order(4, "cancelled"), order(5, "partial")))


def test_a_part_has_so_many_orders():
    assert read(order(2), order(3), cursor="SUB-2", limit=2) == ShippedPage((order(2), order(3)), "SUB-4")


def test_a_part_of_a_slow_warehouse_ends_after_some_seconds_and_the_next_begins_there():
    times = iter(range(0, 10_000_000, 1_500_000))

    page = read(order(1), order(2), order(3), is_over=start_part(lambda: next(times)))

    assert page == ShippedPage((order(1), order(2)), "SUB-3")


def test_one_order_that_cannot_be_read_stops_nothing():
    assert read(FAULT, order(2), NotFound(), NotFound(), NotFound()) == ShippedPage((order(2),))


def test_two_orders_that_cannot_be_read_are_trouble():
    assert read(order(1), FAULT, FAULT) == ShippedPage((order(1),), "SUB-3")
    assert read(FAULT, FAULT) == ShippedPage((), "SUB-2")


@pytest.mark.parametrize("trouble", [RateLimited(1.0), AuthError("refused")])
def test_what_was_read_before_trouble_is_kept(trouble):
    assert read(order(1), trouble) == ShippedPage((order(1),), "SUB-2")
    assert read(trouble) == trouble
