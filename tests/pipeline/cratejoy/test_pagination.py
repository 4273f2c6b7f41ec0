"""Walking through pages: every form of `next`, and every way it can be wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import BadResponse
from pipeline.cratejoy.collection import read_collection
from pipeline.cratejoy.pagination import MAX_PAGES_WITHOUT_NEW, Page, PageWalk
from tests.pipeline.cratejoy.conftest import iter_objects
from tests.pipeline.cratejoy.fake_http import BASE, page, store

FORMS = [
    "?page=2&status=shipped",
    "/v1/orders/?page=2&status=shipped",
    "/v1/orders?page=2&status=shipped",
    f"{BASE}orders/?page=2&status=shipped",
    f"{BASE}orders?page=2&status=shipped#top",
    "http://api.cratejoy.com/v1/orders/?page=2&status=shipped",
    "//api.cratejoy.com/v1/orders/?page=2&status=shipped",
    "https://API.cratejoy.com:443/v1/orders/?page=2&status=shipped",
]


@pytest.mark.parametrize("form", FORMS)
def test_next_may_be_a_query_a_path_or_a_whole_address(form):
    client, http = store(page(1, next_=form), page(2))

    ids = [one["id"] for one in iter_objects(client, "orders")]

    assert ids == [1, 2]
    assert http.asked[1] == ("GET", f"{BASE}orders/?page=2&status=shipped")


@pytest.mark.parametrize(
    "form",
    [
        "https://elsewhere.example/v1/orders/?page=2",
        "https://api.cratejoy.com.evil.example/v1/orders/?page=2",
        "https://api.cratejoy.com:8443/v1/orders/?page=2",
        "https://api.cratejoy.com@evil.example/v1/orders/?page=2",
        "//evil.example/v1/orders/?page=2",
        "/v1/customers/?page=2",
        "file:///v1/orders/?page=2",
        "page=2",
        "http://[",
    ],
)
def test_a_next_that_leads_elsewhere_is_not_followed(form):
    client, http = store(page(1, next_=form))

    with pytest.raises(BadResponse):
        list(iter_objects(client, "orders"))

    assert len(http.asked) == 1


def test_a_next_from_somewhere_else_is_not_followed_either():
    client, http = store(page(1))

    with pytest.raises(BadResponse):
        client.page("orders", next_="https://elsewhere.example/?page=2")

    assert http.asked == []


def test_objects_on_several_pages_come_once():
    client, _ = store(page(1, 2, 2, next_="?page=2"), page(2, 3, next_="?page=3"), page(3, 4))

    assert [one["id"] for one in iter_objects(client, "orders")] == [1, 2, 3, 4]


def test_a_loop_ends():
    client, http = store(page(1, next_="?page=2"), page(2, next_="?page=2"))

    assert [one["id"] for one in iter_objects(client, "orders")] == [1, 2]
    assert len(http.asked) == 2 + MAX_PAGES_WITHOUT_NEW


def test_an_empty_page_in_between_is_a_gap_and_not_the_end():
    client, _ = store(page(1, next_="?page=2"), page(next_="?page=3"), page(2))

    assert [one["id"] for one in iter_objects(client, "orders")] == [1, 2]


def test_a_jump_back_is_forgiven():
    client, _ = store(page(1, next_="?page=2"), page(2, next_="?page=1"), page(1, next_="?page=3"), page(3))

    assert [one["id"] for one in iter_objects(client, "orders")] == [1, 2, 3]


def test_empty_pages_without_end_end():
    client, http = store(page(next_="?page=2"))

    assert list(iter_objects(client, "orders")) == []
    assert len(http.asked) == MAX_PAGES_WITHOUT_NEW


def test_more_pages_than_allowed_do_not_pass_for_all():
    client, _ = store(*(page(number, next_=f"?page={number + 1}") for number in range(1, 9)))

    with pytest.raises(BadResponse, match="more than 5 pages"):
        read_collection(client, "orders", max_pages=5)


def test_a_walk_that_is_cut_says_why():
    walk = PageWalk()
    for _ in range(MAX_PAGES_WITHOUT_NEW):
        walk = walk.after(Page([], next="?page=2"), new=0)

    assert (walk.done, walk.stop_reason, walk.pages) == (True, "pages repeat, or stay empty", MAX_PAGES_WITHOUT_NEW)


PAGES = st.tuples(st.lists(st.integers(0, 20), max_size=4), st.integers(0, 9))  # ids, and where its next leads


@given(leading=st.lists(PAGES, min_size=1, max_size=10))
def test_every_walk_ends_and_brings_nothing_twice(leading):
    """Whatever pages lead to whatever pages."""
    made = [page(*ids, next_=f"?page={leads_to % len(leading)}") for ids, leads_to in leading]
    client, http = store(made[0])
    http.call = lambda _method, url, **_: made[int(url.rpartition("page=")[2]) if "page=" in url else 0]

    ids = [one["id"] for one in iter_objects(client, "orders")]

    assert len(ids) == len(set(ids))
