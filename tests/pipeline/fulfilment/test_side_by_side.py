"""Several boxes at a time: in order, none after a stop or an error, the first whatever the time is."""

from __future__ import annotations

import threading

import pytest

from pipeline.core.fulfilment import WarehouseCall
from pipeline.fulfilment.site import CallLog
from pipeline.fulfilment.steps.side_by_side import work_side_by_side


def always() -> bool:
    return True


def test_so_many_are_worked_on_at_a_time():
    together = threading.Barrier(3, timeout=5)

    begun = work_side_by_side(range(6), 3, lambda _: together.wait() < 0, always)

    assert begun == (6, False)


@pytest.mark.parametrize("at_once", [1, 3])
def test_nothing_is_begun_after_one_has_said_stop(at_once):
    done: list[int] = []

    def work(number: int) -> bool:
        done.append(number)
        return True

    begun, is_stopped = work_side_by_side(range(100), at_once, work, always)

    assert is_stopped
    assert begun == len(done) <= at_once


@pytest.mark.parametrize("at_once", [1, 3])
def test_an_error_is_raised_when_what_is_under_way_has_ended(at_once):
    done: list[int] = []

    def work(number: int) -> bool:
        done.append(number)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work_side_by_side(range(100), at_once, work, always)

    assert len(done) <= at_once


@pytest.mark.parametrize("at_once", [1, 3])
def test_the_first_is_begun_although_the_time_is_up(at_once):
    assert work_side_by_side(range(5), at_once, lambda _: False, lambda: False) == (1, False)


def test_nothing_to_do_begins_nothing():
    assert work_side_by_side([], 4, lambda _: False, always) == (0, False)


def test_the_calls_of_a_box_are_not_noted_at_the_one_beside_it():
    log, taken = CallLog(), []
    log.record(WarehouseCall("POST", "/ours", 200, 0, 1))

    beside = threading.Thread(target=lambda: taken.append(log.take()))
    beside.start()
    beside.join()

    assert taken == [{}]
    assert log.take() == {"calls": [{"call": "POST /ours", "status": 200}]}
