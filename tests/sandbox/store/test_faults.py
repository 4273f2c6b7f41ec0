"""Each fault can be had, and goes away again."""

import pytest


def statuses(shop, count, path="/v1/customers/"):
    return [shop.call("GET", path).status_code for _ in range(count)]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_failure_lasts_for_the_times_asked_for(shop, status):
    shop.control("faults", {"status": status, "times": 2})
    assert statuses(shop, 3) == [status, status, 200]


def test_too_many_requests_say_when_to_come_again(shop):
    shop.control("faults", {"status": 429, "times": 1, "retry_after": 7})
    assert shop.call("GET", "/v1/customers/").headers["Retry-After"] == "7"


def test_a_rate_limit_refuses_what_is_too_fast(shop, steady):
    shop.control("faults", {"rate": 2})
    assert statuses(shop, 3) == [200, 200, 429]
    steady.now += 1.5
    assert statuses(shop, 1) == [200]


def test_a_fault_concerns_only_its_prefix(shop):
    shop.control("faults", {"status": 500, "prefix": "/v1/orders"})
    assert statuses(shop, 1) == [200]
    assert statuses(shop, 1, "/v1/orders/") == [500]


def test_keys_can_be_revoked(shop):
    shop.control("faults", {"auth": "revoked"})
    assert statuses(shop, 1) == [401]


def test_latency_delays_a_good_answer(shop):
    shop.control("faults", {"latency": 0.01, "times": 1})
    assert statuses(shop, 1) == [200]
    assert shop.get("/_sandbox/faults")["faults"] == []


def test_faults_can_be_cleared(shop):
    shop.control("faults", {"status": 503})
    shop.client.delete("/_sandbox/faults")
    assert statuses(shop, 1) == [200]


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"status": 418},
        {"auth": "lost"},
        {"color": 1},
        {"status": 500, "rate": 1},
        {"page": "torn"},
        {"page": "null", "latency": 1},
    ],
)
def test_a_fault_that_cannot_be_had_is_refused(shop, fault):
    assert shop.client.post("/_sandbox/faults", json=fault).status_code == 400


def test_requests_are_noted_with_their_status(shop):
    shop.control("faults", {"status": 500, "times": 1})
    statuses(shop, 2, "/v1/orders/?limit=3")
    noted = shop.get("/_sandbox/requests")["requests"]
    assert [(one["path"], one["query"], one["status"]) for one in noted] == [
        ("/v1/orders/", "limit=3", 500),
        ("/v1/orders/", "limit=3", 200),
    ]


def test_keys_are_taken_again_when_their_fault_is_cleared(shop):
    shop.control("faults", {"auth": "revoked"})
    shop.control("faults", {"status": 503, "times": 1, "prefix": "/v1/orders"})
    assert statuses(shop, 1) == [401]
    shop.client.delete("/_sandbox/faults?kind=auth")
    assert statuses(shop, 1) == [200]
    assert statuses(shop, 1, "/v1/orders/") == [503]


def test_a_kind_of_fault_that_does_not_exist_cannot_be_cleared(shop):
    assert shop.client.delete("/_sandbox/faults?kind=mood").status_code == 400


def test_a_fault_may_let_requests_pass_first(shop):
    shop.control("faults", {"status": 500, "skip": 1, "times": 1})
    assert statuses(shop, 3) == [200, 500, 200]


def test_a_fault_may_concern_one_method(shop):
    shop.control("faults", {"status": 500, "method": "PUT"})
    assert statuses(shop, 1) == [200]
