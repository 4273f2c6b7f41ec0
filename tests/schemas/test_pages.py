"""The envelope of list answers."""

import pytest

from schemas import InvalidBody, Page, load_page


def test_a_page_has_its_results_loaded():
    body = {"count": 12, "next": "?page=2&limit=10", "prev": None, "results": [{"id": "5", "total": "2990"}]}

    assert load_page("order", body) == Page(12, "?page=2&limit=10", None, [{"id": 5, "total": 2990}])


@pytest.mark.parametrize("body", [{}, {"results": None}, {"next": "", "results": []}])
def test_an_empty_page_has_no_results_and_no_next(body):
    assert load_page("order", body) == Page(None, None, None, [])


def test_a_bad_result_is_named_by_its_index():
    with pytest.raises(InvalidBody) as refused:
        load_page("order", {"results": [{"id": 1}, {"total": "dear"}, "x"]})

    assert sorted(refused.value.errors) == ["results.1.total", "results.2"]


@pytest.mark.parametrize(
    ("body", "path"), [({"results": {"id": 5}}, "results"), ([], ""), ({"count": "many"}, "count")]
)
def test_what_is_no_page_is_refused(body, path):
    with pytest.raises(InvalidBody) as refused:
        load_page("order", body)

    assert list(refused.value.errors) == [path]


def test_a_hook_the_store_keeps_loads():
    body = {"count": 1, "results": [{"id": 5, "event": "order_new", "enabled": True, "querystring": None}]}

    assert load_page("hook", body).results == body["results"]
