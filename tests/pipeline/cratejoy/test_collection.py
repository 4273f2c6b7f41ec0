"""Whether a reading has shown all that its collection counts."""

from __future__ import annotations

import pytest

from pipeline.core.errors import BrokenPage
from pipeline.cratejoy.collection import read_collection
from pipeline.cratejoy.pagination import MAX_READINGS, Page, ReadTally, load_tally
from tests.pipeline.cratejoy.conftest import iter_objects
from tests.pipeline.cratejoy.fake_http import page, store


def tally(*pages, reading=1):
    found = ReadTally(reading)
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
    assert tally(*pages).is_complete is (missing == 0)


def test_a_falling_count_may_have_hidden_an_object():
    found = tally((25, 10), (24, 10), (24, 4))

    assert (found.missing, found.shrank, found.is_complete) == (0, True, False)


def test_the_last_reading_is_the_last_whatever_it_shows():
    assert not tally((25, 10)).is_last_reading
    assert tally((25, 10), reading=MAX_READINGS).is_last_reading


def test_a_tally_is_kept_between_requests():
    found = tally((25, 10), (24, 3))

    assert load_tally(found.to_json()) == found
    assert load_tally(None) == ReadTally()


def test_a_small_collection_that_shows_too_little_is_read_again():
    client, http = store(page(1, count=2), page(1, 2, count=2))

    assert [one["id"] for one in iter_objects(client, "orders")] == [1, 2]
    assert len(http.asked) == 2


def test_one_that_shows_the_same_twice_is_believed_and_the_difference_said():
    client, _ = store(page(1, count=2))

    found = read_collection(client, "orders")

    assert (found.ids, found.missing_count) == ({1}, 1)


def test_one_that_shows_something_else_each_time_is_no_collection():
    client, _ = store(page(1, count=2), page(2, count=2))

    with pytest.raises(BrokenPage, match="1 of 2"):
        read_collection(client, "orders")
