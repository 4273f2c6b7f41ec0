"""What can go wrong with a request, and the one error each of it becomes."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from pipeline.core.backoff import MAX_RETRY_AFTER_S
from pipeline.core.errors import (
    BadCredentials,
    BadResponse,
    CratewireError,
    NotAllowed,
    NotFound,
    RateLimited,
    RequestRefused,
    ServerFault,
    Throttled,
    Unreachable,
    WrongAddress,
)
from pipeline.cratejoy.credentials import Credentials
from pipeline.cratejoy.factory import BUDGET_MARGIN_S, build_client
from pipeline.infra.http.client import HTTPClient, HTTPResponse
from tests.pipeline.cratejoy.fake_http import AT, FakeRateLimit, answer, page
from tests.pipeline.cratejoy.fake_http import store as scripted

HTML = "<!doctype html><title>Maintenance for jane@example.com</title>"


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_keys_are_bad_credentials(shop, redis, status):
    shop.switch(refuse_with=status)

    with pytest.raises(BadCredentials, match=str(status)):
        build_client(shop.credentials("wrong"), redis, http=HTTPClient(), per_second=100).check()


def test_revoked_keys_are_bad_credentials(shop, store):
    shop.fault(auth="revoked")

    with pytest.raises(BadCredentials):
        store.page("orders")


def test_what_is_not_there_is_not_found(store):
    with pytest.raises(NotFound):
        store.get("orders", 1)


def test_what_cannot_be_done_is_not_allowed(store):
    with pytest.raises(NotAllowed):
        store.delete("orders", 1)


def test_a_wrong_question_is_refused(shop, store):
    shop.people(1)

    with pytest.raises(RequestRefused) as caught:
        store.page("customers", {"shoe_size": "41"})

    assert caught.value.status == 400


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failing_store_is_a_server_fault(shop, store, status):
    shop.fault(status=status, times=1)

    with pytest.raises(ServerFault):
        store.page("orders")


def test_expected_downtime_says_how_long(shop, store):
    shop.fault(status=503, times=1, retry_after=90)

    with pytest.raises(ServerFault) as caught:
        store.page("orders")

    assert caught.value.retry_after == 90


def test_a_refused_connection_is_unreachable(redis):
    with pytest.raises(Unreachable, match="connection refused"):
        build_client(
            Credentials("id", "secret", "http://127.0.0.1:1/v1/"), redis, http=HTTPClient(), per_second=100
        ).check()


@pytest.mark.parametrize("body", [HTML, "", "[" * 100_000, '{"results": ['])
def test_a_success_that_is_not_json_is_a_bad_answer(body):
    store, _ = scripted(answer(200, body))

    with pytest.raises(BadResponse):
        store.page("orders")


def test_an_answer_that_broke_off_is_a_bad_answer():
    store, _ = scripted(HTTPResponse(200, {}, '{"results": []}', is_complete=False))

    with pytest.raises(BadResponse):
        store.page("orders")


@pytest.mark.parametrize("status", [301, 302, 308, 100])
def test_an_api_that_redirects_is_none(status):
    store, _ = scripted(answer(status, HTML))

    with pytest.raises((BadResponse, WrongAddress)):
        store.check()


def test_a_check_of_an_address_without_an_api_says_so():
    store, _ = scripted(answer(404, HTML))

    with pytest.raises(WrongAddress, match=r"no Merchant API at this address \(404\)\. It ends in /v1/"):
        store.check()


@pytest.mark.parametrize("status", [301, 400, 401, 404, 405, 409, 422, 429, 500, 503])
def test_no_error_quotes_the_answer_or_the_keys(status):
    store, _ = scripted(answer(status, HTML))

    with pytest.raises(Exception, match="orders") as caught:
        store.page("orders", {"customer.email": "jane@example.com"})

    assert "jane" not in str(caught.value)
    assert "secret" not in str(caught.value)


RETRY_AFTER = {
    "seconds": ("7", 7.0),
    "date": (format_datetime(datetime.fromtimestamp(AT / 1e6 + 30, UTC), usegmt=True), 30.0),
    "absent": (None, None),
    "absurd": ("99999999999999", MAX_RETRY_AFTER_S),
    "negative": ("-3", None),
    "past": ("Mon, 01 Jan 2001 00:00:00 GMT", None),
    "text": ("soon", None),
    "empty": ("", None),
}


@pytest.mark.parametrize(("header", "seconds"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_a_429_closes_the_gate_for_as_long_as_it_says(header, seconds):
    gate = FakeRateLimit()
    store, _ = scripted(answer(429, **({} if header is None else {"retry_after": header})), gate=gate)

    with pytest.raises(Throttled) as caught:
        store.page("orders")

    assert gate.pauses == [seconds]
    assert caught.value.seconds == (seconds or 1.0)


def test_a_429_stops_every_client_of_the_store(shop, redis):
    shop.fault(status=429, times=1, retry_after=60)
    one, other = (build_client(shop.credentials(), redis, http=HTTPClient(), per_second=100) for _ in range(2))

    with pytest.raises(Throttled):
        one.page("orders")
    with pytest.raises(RateLimited) as caught:
        other.page("customers")

    assert len(shop.asked()) == 1
    assert 50 < caught.value.seconds <= 60


def test_a_503_that_names_a_time_stops_every_client_of_the_store(shop, redis):
    shop.fault(status=503, times=1, retry_after=60)
    one, other = (build_client(shop.credentials(), redis, http=HTTPClient(), per_second=100) for _ in range(2))

    with pytest.raises(ServerFault):
        one.page("orders")
    with pytest.raises(RateLimited) as caught:
        other.page("customers")

    assert len(shop.asked()) == 1
    assert 50 < caught.value.seconds <= 60


@pytest.mark.parametrize("status", [302, 403, 404, 408, 500, 503])
def test_a_time_to_come_back_is_everybodys_whatever_refusal_names_it_and_lowers_no_rate(status):
    gate = FakeRateLimit()
    store, _ = scripted(answer(status, retry_after="7"), gate=gate)

    with pytest.raises(CratewireError, match=str(status)):
        store.page("orders")

    assert (gate.hold_offs, gate.pauses) == ([7.0], [])


@pytest.mark.parametrize("given", [answer(503), answer(503, retry_after="soon"), page(), HTTPResponse(None)])
def test_an_answer_without_a_time_pauses_no_caller(given):
    gate = FakeRateLimit()
    store, _ = scripted(given, gate=gate)

    with suppress(CratewireError):
        store.page("orders")

    assert gate.hold_offs == []


def test_the_budget_is_shared_by_all_clients_of_the_store(shop, redis):
    one, other = (build_client(shop.credentials(), redis, http=HTTPClient(), per_second=0.02) for _ in range(2))
    one.page("orders")

    with pytest.raises(RateLimited) as caught:
        other.page("orders")

    assert len(shop.asked()) == 1
    assert 0 < caught.value.seconds <= 50 + BUDGET_MARGIN_S


def test_a_caller_that_must_wait_sends_nothing_and_does_not_block():
    gate = FakeRateLimit(wait=3.5)
    store, http = scripted(page(), gate=gate)

    with pytest.raises(RateLimited) as caught:
        store.page("orders")

    assert (caught.value.seconds, http.asked) == (3.5, [])


@pytest.mark.parametrize(("status", "successes"), [(200, 1), (404, 1), (429, 0), (500, 0), (502, 0)])
def test_the_rate_creeps_back_with_what_the_store_took(status, successes):
    gate = FakeRateLimit()
    store, _ = scripted(answer(status, {"results": []}), gate=gate)

    with suppress(NotFound, ServerFault, Throttled):
        store.page("orders")

    assert gate.successes == successes


def test_a_hook_is_made_changed_and_removed(store):
    made = store.create(
        "hooks",
        {"name": "n", "event": "order_new", "target": "https://hooks.example.com/x", "request_type": "POST"},
    )
    changed = store.update("hooks", made["id"], {"enabled": False})
    store.delete("hooks", made["id"])

    assert (made["enabled"], changed["enabled"]) == (True, False)
    with pytest.raises(NotFound):
        store.delete("hooks", made["id"])


def test_a_body_is_sent_as_json():
    sent = {}
    store, http = scripted(answer(201, {"id": 1}))

    def call(method, url, *, headers, body, max_bytes):
        sent.update(headers, method=method, url=url, body=json.loads(body))
        return answer(201, {"id": 1})

    http.call = call
    store.create("hooks", {"name": "señor"})

    assert (sent["Accept"], sent["Content-Type"]) == ("application/json", "application/json")
    assert (sent["method"], sent["url"], sent["body"]) == (
        "POST",
        "https://api.cratejoy.com/v1/hooks/",
        {"name": "señor"},
    )
