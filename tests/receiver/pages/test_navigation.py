"""The navigation at the top of each page says where one is."""

from __future__ import annotations

import re

import pytest

from tests.receiver.pages.test_crafted_values import ENDS_THE_LOG_IN, build_path

ELSEWHERE = {*ENDS_THE_LOG_IN, "invitations.show", "static"}


@pytest.fixture
def visitor(pages):
    pages.store("acme", pages.member("bea@example.com"))
    return pages.logged_in("bea@example.com")


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


def test_every_page_of_a_user_marks_where_one_is(pages, visitor):
    unmarked = []
    for rule in pages.app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.endpoint in ELSEWHERE:
            continue
        page = visitor.go(build_path(rule))
        is_marked = "aria-current=" in page.partition('<header class="site">')[2].partition("</header>")[0]
        unmarked += [rule.rule] if visitor.status == 200 and "<header" in page and not is_marked else []

    assert unmarked == []
