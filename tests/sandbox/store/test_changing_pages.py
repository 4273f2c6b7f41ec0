"""Pages that change while they are read, each as a fault that can be ordered."""

import pytest


def pages(shop, count=3):
    """The first pages of five customers each, by number."""
    return [shop.get(f"/v1/customers/?limit=5&page={number}") for number in range(1, count + 1)]


@pytest.fixture
def ids(shop):
    return shop.people(12)


@pytest.mark.parametrize("base", [0, 1])
def test_a_page_can_have_null_for_results(shop, ids, base):
    shop.control("switches", {"page_base": base})
    shop.control("faults", {"page": "null", "times": 1})
    second = f"/v1/customers/?limit=5&page={base + 1}"
    assert shop.get(f"/v1/customers/?limit=5&page={base}")["results"]
    assert shop.get(second)["results"] is None
    assert len(shop.get(second)["results"]) == 5


def test_a_page_can_lack_its_results(shop, ids):
    shop.control("faults", {"page": "missing"})
    _, second, third = pages(shop)
    assert "results" not in second
    assert "results" in third


def test_a_page_can_be_empty_and_still_name_a_next_one(shop, ids):
    shop.control("faults", {"page": "empty", "on": 3})
    _, _, third = pages(shop)
    assert (third["results"], third["next"]) == ([], "?page=4&limit=5")


def test_a_row_can_go_between_two_pages_so_that_another_is_passed_over(shop, ids):
    shop.control("faults", {"page": "gone", "times": 1})
    seen = [row["id"] for page in pages(shop) for row in page["results"]]
    assert seen == [*ids[:5], *ids[6:]]
    assert shop.call("GET", f"/v1/customers/{ids[0]}/").status_code == 404
    assert shop.get("/v1/customers/")["count"] == 11


def test_what_has_gone_is_back_when_faults_are_cleared(shop, ids):
    shop.control("faults", {"page": "gone", "times": 1})
    pages(shop)
    shop.client.delete("/_sandbox/faults")
    assert shop.get("/v1/customers/")["count"] == 12


@pytest.mark.parametrize(("fault", "leads_to"), [("same_next", 2), ("first_next", 1)])
def test_a_next_can_lead_nowhere_new(shop, ids, fault, leads_to):
    shop.control("faults", {"page": fault})
    _, second, _ = pages(shop)
    assert second["next"] == f"?page={leads_to}&limit=5"


def test_only_lists_below_the_prefix_are_spoiled(shop, ids):
    shop.control("faults", {"page": "null", "on": 1, "prefix": "/v1/orders"})
    assert shop.get("/v1/customers/")["results"]
    assert shop.get("/v1/orders/")["results"] is None


def test_the_newer_shipments_can_be_spoiled_too(shop, ids):
    shop.control("faults", {"page": "null", "on": 1, "prefix": "/v1.1/shipments"})
    assert shop.get("/v1.1/shipments/")["results"] is None


@pytest.mark.parametrize(
    ("form", "leads_to"),
    [
        ("query", "?page=2&limit=5"),
        ("path", "/v1/customers/?page=2&limit=5"),
        ("url", "http://localhost/v1/customers/?page=2&limit=5"),
    ],
)
def test_a_next_can_be_a_query_a_path_or_a_url(shop, ids, form, leads_to):
    shop.control("switches", {"next_form": form})
    assert pages(shop, 1)[0]["next"] == leads_to


def test_a_row_may_come_again_on_the_next_page(shop):
    shop.people(6)
    everyone = shop.ids("/v1/customers/?limit=6")
    shop.control("faults", {"page": "repeated", "on": 2, "times": 1})

    assert shop.ids("/v1/customers/?limit=3&page=2") == everyone[2:]
