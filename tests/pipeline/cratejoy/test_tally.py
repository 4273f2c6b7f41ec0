"""Whether a reading has shown all that its collection counts."""

from __future__ import annotations

import pytest

from pipeline.cratejoy.paging import every, whole
from pipeline.cratejoy.reading import Page
from pipeline.cratejoy.tally import MOST_READINGS, Tally, tally_of
from pipeline.errors import BrokenPage
from tests.pipeline.cratejoy.scripted import page, store


def tally(*pages, reading=1):
    found = Tally(reading)
    for count, new in pages:
        found = found.after(Page([], count=count), new)
    return found


@pytest.mark.parametrize(
    ("pages", "missing"),
    [
        ([(25, 10), (25, 10), (25, 5)], 0),
        ([(25, 10), (25, 5)], 10),
        ([(25, 10), (26, 15)], 0),
        ([(None, 10), (None, 5)], 0),
        ([], 0),
    ],
)
def test_what_is_missing_is_what_was_counted_at_the_least_and_not_shown(pages, missing):
    assert tally(*pages).missing == missing
    assert tally(*pages).is_whole is (missing == 0)


def test_a_count_that_falls_may_have_moved_somebody_out_of_sight():
    found = tally((25, 10), (24, 10), (24, 4))

    assert (found.missing, found.shrank, found.is_whole) == (0, True, False)


def test_the_last_reading_is_the_last_whatever_it_shows():
    assert not tally((25, 10)).is_last
    assert tally((25, 10), reading=MOST_READINGS).is_last


def test_a_tally_is_kept_between_requests():
    found = tally((25, 10), (24, 3))

    assert tally_of(found.kept()) == found
    assert tally_of(None) == Tally()


def test_a_small_collection_that_shows_too_little_is_read_again():
    client, http = store(page(1, count=2), page(1, 2, count=2))

    assert [one["id"] for one in every(client, "orders")] == [1, 2]
    assert len(http.asked) == 2


def test_one_that_shows_the_same_twice_is_believed_and_the_difference_said():
    client, _ = store(page(1, count=2))

    found = whole(client, "orders")

    assert (found.ids, found.uncounted) == ({1}, 1)


def test_one_that_shows_something_else_each_time_is_no_collection():
    client, _ = store(page(1, count=2), page(2, count=2))

    with pytest.raises(BrokenPage, match="1 of 2"):
        whole(client, "orders")
