"""A merchant with a store, and another merchant with a store of her own."""

from __future__ import annotations

import pytest

from tests.receiver.pages.activity.feed import HERS, OTHERS


@pytest.fixture
def store_id(pages):
    pages.store("not-hers", pages.member(OTHERS))
    return pages.store("acme", pages.member(HERS))


@pytest.fixture
def visitor(pages, store_id):
    return pages.logged_in(HERS)
