"""What each response of the Track API means for the messages of the call."""

from __future__ import annotations

import json

import pytest

from pipeline.core.messages import ConnectionBroken, Rejected, RetryAfter, Sent
from pipeline.destinations.customerio.responses import (
    may_split,
    parse_batch_outcome,
    parse_outcome,
    parse_refused_items,
)
from pipeline.infra.http.client import HTTPResponse

NOON = 784_111_777_000_000  # Sun, 06 Nov 1994 08:49:37 GMT
REGION = "the account probably lives in another region"


def refusals(*entries, **more):
    return HTTPResponse(207, body=json.dumps({"errors": list(entries)}), **more)


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (HTTPResponse(200), Sent()),
        (HTTPResponse(204, body="{}"), Sent()),
        (HTTPResponse(301), ConnectionBroken(f"redirected (301): {REGION}")),
        (HTTPResponse(399), ConnectionBroken(f"redirected (399): {REGION}")),
        (HTTPResponse(400, body='{"message": "no"}'), Rejected("refused", "no")),
        (HTTPResponse(400), Rejected("refused", "answered 400")),
        (HTTPResponse(401), ConnectionBroken("the credentials were refused (401)")),
        (HTTPResponse(403), ConnectionBroken("the credentials were refused (403)")),
        (HTTPResponse(404), Rejected("refused", "answered 404")),
        (HTTPResponse(408), RetryAfter(None, "answered 408")),
        (HTTPResponse(413, body='{"message": "long"}'), Rejected("too_large", "long")),
        (HTTPResponse(425), RetryAfter(None, "answered 425")),
        (HTTPResponse(429, {"retry-after": "7"}), RetryAfter(7.0, "answered 429")),
        (HTTPResponse(500), RetryAfter(None, "answered 500")),
        (HTTPResponse(501), Rejected("refused", "answered 501")),
        (HTTPResponse(503, {"retry-after": "1.5"}), RetryAfter(1.5, "answered 503")),
        (HTTPResponse(505), Rejected("refused", "answered 505")),
        (HTTPResponse(511), Rejected("refused", "answered 511")),
        (HTTPResponse(100), RetryAfter(None, "answered 100")),
        (HTTPResponse(None, error="timeout while reading"), RetryAfter(None, "timeout while reading")),
        (HTTPResponse(None), RetryAfter(None, "no answer")),
    ],
)
def test_each_status_has_its_outcome(response, outcome):
    assert parse_outcome(response) == outcome


def test_a_date_to_retry_after_counts_from_the_start_of_the_call():
    headers = {"retry-after": "Sun, 06 Nov 1994 08:49:47 GMT"}

    assert parse_outcome(HTTPResponse(429, headers, started_at=NOON)) == RetryAfter(10.0, "answered 429")


@pytest.mark.parametrize("body", ["<html>", " \n<html>"])
def test_a_page_in_place_of_a_success_is_tried_again(body):
    assert parse_outcome(HTTPResponse(200, body=body)) == RetryAfter(
        None, "answered 200 with a page: something stands between us and Customer.io"
    )


@pytest.mark.parametrize("status", [404, 405, 410])
def test_a_batch_whose_path_is_unknown_has_a_wrong_address(status):
    assert parse_batch_outcome(HTTPResponse(status)) == ConnectionBroken(
        f"answered {status}: there is no Track API at this address"
    )


@pytest.mark.parametrize(("status", "outcome"), [(200, Sent()), (409, Rejected("refused", "answered 409"))])
def test_every_other_status_of_a_batch_means_what_it_means_for_a_call(status, outcome):
    assert parse_batch_outcome(HTTPResponse(status)) == outcome


@pytest.mark.parametrize(
    ("status", "expected"), [(None, False), (399, False), (400, True), (413, True), (499, True), (500, False)]
)
def test_a_call_is_split_after_a_client_error(status, expected):
    assert may_split(HTTPResponse(status)) is expected


def test_a_refused_item_is_known_by_its_place_and_its_text():
    response = refusals({"batch_index": 1, "message": "no"}, {"batch_index": 0, "field": "name", "message": "empty"})

    assert parse_refused_items(response, 2) == {0: Rejected("refused", "name: empty"), 1: Rejected("refused", "no")}


def test_several_errors_of_an_item_are_joined():
    response = refusals(
        {"batch_index": 0, "message": "one"}, {"batch_index": 0}, {"batch_index": 0, "message": "a@example.com"}
    )

    assert parse_refused_items(response, 1) == {0: Rejected("refused", "one; [address]")}


@pytest.mark.parametrize("index", [-1, 2, "0", True, None, 0.0])
def test_an_error_of_no_item_of_the_call_refuses_none(index):
    assert parse_refused_items(refusals({"batch_index": index}, "text", None), 2) == {}


def test_the_last_item_of_a_call_can_be_refused():
    assert parse_refused_items(refusals({"batch_index": 1}), 2) == {1: Rejected("refused", "")}


@pytest.mark.parametrize(
    "response",
    [
        refusals(is_complete=False),
        HTTPResponse(207, body="{"),
        HTTPResponse(207, body="[" * 100_000),
        HTTPResponse(207, body="[]"),
        HTTPResponse(207, body='{"errors": {}}'),
        HTTPResponse(207, body="{}"),
    ],
    ids=["broken off", "no JSON", "too deep", "a list", "no list of errors", "no errors"],
)
def test_refusals_that_cannot_be_read_are_none(response):
    assert parse_refused_items(response, 2) is None
