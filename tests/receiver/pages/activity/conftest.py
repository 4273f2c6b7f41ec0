"""A merchant with a store, and another merchant with a store of her own."""

from __future__ import annotations

import pytest

from tests.receiver.pages.activity.feed import HERS, OTHERS


@pytest.fixture
def store_id(house):
    house.store("not-hers", house.member(OTHERS))
    return house.store("acme", house.member(HERS))


@pytest.fixture
def visitor(house, store_id):
    return house.logged_in(HERS)
