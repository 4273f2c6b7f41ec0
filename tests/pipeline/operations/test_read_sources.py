"""Which values of `source` the last orders and subscriptions have."""

from __future__ import annotations

import pytest

from pipeline.core.errors import RequestRefused
from pipeline.cratejoy.pagination import Page
from pipeline.operations.read_sources import LAST_OBJECTS, read_sources
from tests.builders import NOW


class FakeAPI:
    """Shows these orders; `filtered`: how many of them a filter leaves, None: filters are refused."""

    def __init__(self, orders, filtered=None):
        self.orders, self.filtered, self.asked = orders, filtered, []

    def page(self, resource, filters, limit):
        self.asked.append((resource, *filters))
        if resource == "subscriptions":
            return Page([])
        if filters and self.filtered is None:
            raise RequestRefused("no such filter", 400)
        return Page((self.orders[: self.filtered] if filters else self.orders)[:limit])


def order(number, source):
    day = f"2026-11-{number % 28 + 1:02}"
    return {"id": number, "source": source, "placed_at": f"{day}T10:00:00Z", "customer": {"email": "bea@example.com"}}


def read(api):
    return read_sources(api, lambda call: call(), NOW)


def test_values_are_counted_as_texts_with_three_newest_examples():
    numbers = FakeAPI([order(1, 2), order(2, "2"), order(3, 2), order(4, 2), order(5, 1)], filtered=5)
    one, two = read(numbers)

    assert (one.value, one.orders, two.value, two.orders) == ("1", 1, "2", 4)
    assert [example["id"] for example in two.examples] == [4, 3, 2]
    assert two.examples[0] == {"kind": "order", "id": 4, "at": "2026-11-05"}


def test_a_month_with_enough_orders_is_read_alone():
    api = FakeAPI([order(number, 1) for number in range(LAST_OBJECTS)], filtered=LAST_OBJECTS)
    read(api)

    assert api.asked[:2] == [("orders", "placed_at__ge"), ("subscriptions", "start_date__ge")]


def test_a_store_that_takes_no_filter_is_read_without_one():
    (found,) = read(FakeAPI([order(1, 7)]))

    assert found.value == "7"


@pytest.mark.parametrize("source", [None, "", True, {"id": 1}, "x" * 101, 10**200])
def test_what_cannot_be_named_in_a_list_is_no_value(source):
    assert read(FakeAPI([order(1, source)], filtered=1)) == []
