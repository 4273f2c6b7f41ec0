"""The navigation at the top of each page says where one is."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def visitor(house):
    house.store("acme", house.member("bea@example.com"))
    return house.logged_in("bea@example.com")


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("/", [("page", "Overview")]),
        ("/stores/acme/settings", [("true", "Overview")]),
        ("/activity", [("page", "Activity")]),
        ("/account", [("page", "Account")]),
        ("/change", [("true", "Account")]),
    ],
)
def test_the_place_in_which_a_page_is_is_marked(visitor, path, marked):
    visitor.go(path)

    navigation = visitor.page.partition('<header class="site">')[2].partition("</header>")[0]
    assert re.findall(r'aria-current="(\w+)">(\w+)<', navigation) == marked
