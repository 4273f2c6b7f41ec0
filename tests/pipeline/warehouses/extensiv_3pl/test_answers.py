"""Every row of the tables of 3PL Warehouse Manager, on the answers of the port."""

from __future__ import annotations

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import (
    AlreadyExists,
    AuthError,
    Cancelled,
    Created,
    Invalid,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
)
from pipeline.warehouses.extensiv_3pl import WarehouseManager
from tests.pipeline.warehouses.extensiv_3pl.recorded import CONFIG, GRANT, listing, manager, problem, row
from tests.pipeline.warehouses.kit import (
    BROKEN_OFF,
    NOT_PUBLIC,
    NOT_SENT,
    ORDER,
    PAGE,
    TIMEOUT,
    RecordedHTTP,
    answer,
    make_tools,
)

TAKEN = answer(row(), 201, etag='"v1"')
COMMON = [
    (answer("Slow down", 429, retry_after="7"), RateLimited(7.0)),
    (answer("", 429), RateLimited(30.0, doubles=True)),
    (answer("", 302, location="https://elsewhere.example/"), AuthError("redirected (302)")),
    (answer("", 403), AuthError("forbidden (403)")),
    (NOT_PUBLIC, AuthError("not a public address")),
    (NOT_SENT, Retryable("connection refused")),
]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *COMMON,
        (TAKEN, Created("4100001", '"v1"')),
        (problem(400, "ModelValidationException", "Duplicate", ("ReferenceNum", "SUB-90000001")), AlreadyExists()),
        (problem(400, "ModelValidationException", "Duplicate"), AlreadyExists()),
        (
            problem(400, "ModelValidationException", "Duplicate", ("SavedElements[0].Name", "x")),
            Invalid((("SavedElements[0].Name", "Duplicate"),)),
        ),
        (
            problem(400, "ModelValidationException", "DoesNotExist", ("OrderItems[0].ItemIdentifier.Sku", "BOX-2602")),
            Invalid((("OrderItems[0].ItemIdentifier.Sku", "DoesNotExist: BOX-2602"),)),
        ),
        (
            problem(400, "ModelValidationException", "Required", ("ShipTo.Zip", ""), ("ShipTo.Name", "Example")),
            Invalid((("ShipTo.Zip", "Required"), ("ShipTo.Name", "Required"))),
        ),
        (problem(400, "ModelValidationException", "Strange"), Invalid((("order", "Strange"),))),
        (answer("Bad Request", 400), OutcomeUnknown("answered 400, and not by the API")),
        (problem(403, "OperationException", "InUse"), Invalid((("order", "InUse"),))),
        (problem(403, "AuthorizationException", ""), AuthError("a role is missing (403)")),
        (answer("", 404), AuthError("answered 404: there is no API at this address")),
        (answer("An error has occurred.", 500), OutcomeUnknown("answered 500")),
        (answer("", 502), OutcomeUnknown("answered 502")),
        (answer("", 503), OutcomeUnknown("answered 503")),
        (answer("", 504), OutcomeUnknown("answered 504")),
        (PAGE, OutcomeUnknown("answered 200 without the order's id")),
        (TIMEOUT, OutcomeUnknown("timeout while reading")),
        (BROKEN_OFF, OutcomeUnknown("connection broke off")),
    ],
)
def test_each_answer_to_a_new_order(given, expected):
    warehouse, _ = manager(given)

    assert warehouse.create(ORDER) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *COMMON,
        (listing(), NotFound()),
        (listing(row("SUB-9")), Retryable("answered with other orders")),
        (answer({"TotalResults": 1, "ResourceList": []}), Retryable("answered without a list")),
        (answer({"totalResults": 1}), Retryable("answered without a list")),
        (problem(400, "QueryParameterException", "NotParsable"), Retryable("NotParsable")),
        (problem(403, "AuthorizationException", ""), AuthError("a role is missing (403)")),
        (answer("", 404), AuthError("answered 404: there is no API at this address")),
        (answer("An error has occurred.", 500), Retryable("answered 500")),
        (PAGE, Retryable("answered without a list")),
        (TIMEOUT, Retryable("timeout while reading")),
    ],
)
def test_each_answer_to_a_look_up(given, expected):
    warehouse, _ = manager(given)

    assert warehouse.find("SUB-90000001") == expected


def test_each_answer_to_a_check():
    named = row(customerIdentifier={"name": "Example Merchant"}, facilityIdentifier={"name": "DC-1"})

    assert manager(listing(named))[0].check() == {"orders": 1, "customer": "Example Merchant", "facility": "DC-1"}
    assert manager(listing())[0].check() == {"orders": 0, "customer": None, "facility": None}
    assert manager(answer("", 404))[0].check() == AuthError("answered 404: there is no API at this address")


VERSION = answer(row(), etag='W/"v7"')


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *COMMON,
        (answer("", 204), Cancelled()),
        (problem(403, "OperationException", "OrderConfirmed"), Refused("OrderConfirmed")),
        (problem(403, "OperationException", "AlreadyCompleted"), Refused("AlreadyCompleted")),
        (problem(403, "OperationException", "InUse"), Refused("InUse")),
        (problem(403, "OperationException", "OrderCanceled"), Cancelled()),
        (problem(403, "AuthorizationException", ""), AuthError("the role OrderWrite is missing (403)")),
        (problem(403, "StrangeException", "Invalid"), Refused("Invalid")),
        (problem(400, "ModelValidationException", "Required"), Refused("Required")),
        (problem(404, "ResourceNotFoundException", "NotFound"), NotFound()),
        (answer("<h1>Not found</h1>", 404), OutcomeUnknown("answered 404, and not by the API")),
        (problem(428, "PreconditionRequiredException", ""), Refused("answered 428")),
        (answer("", 428), OutcomeUnknown("answered 428, and not by the API")),
        (answer("An error has occurred.", 500), OutcomeUnknown("answered 500")),
        (TIMEOUT, OutcomeUnknown("timeout while reading")),
    ],
)
def test_each_answer_to_a_cancel(given, expected):
    warehouse, http = manager(VERSION, given)

    assert warehouse.cancel("SUB-90000001", "4100001", "Cancelled in Cratejoy") == expected
    assert http.requests[2].headers["If-Match"] == 'W/"v7"'
    assert http.requests[2].content == {"reason": "Cancelled in Cratejoy"}
    assert http.requests[2].url.endswith("/orders/4100001/canceler")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *COMMON,
        (answer(row(status=2), etag='"v"'), Cancelled()),
        (answer(row(status=1), etag='"v"'), Refused("OrderConfirmed")),
        (answer(row()), Refused("no_etag")),
        (problem(404, "ResourceNotFoundException", "NotFound"), NotFound()),
        (answer("<h1>Not found</h1>", 404), Retryable("answered 404, and not by the API")),
        (TIMEOUT, Retryable("timeout while reading")),
    ],
)
def test_a_cancel_that_the_order_itself_settles(given, expected):
    warehouse, _ = manager(given)

    assert warehouse.cancel("SUB-90000001", "4100001", "no more") == expected


def test_a_refused_cancel_of_an_order_on_hold_names_the_hold():
    held = answer(row(onHoldDate="2026-02-01T00:00:00"), etag='"v1"')
    warehouse, _ = manager(held, problem(403, "OperationException", "InUse"))

    assert warehouse.cancel("SUB-90000001", "4100001", "no more") == Refused("on_hold")


def test_an_order_that_has_changed_is_read_again_before_it_is_cancelled():
    changed = answer("", 412)
    warehouse, http = manager(VERSION, changed, answer(row(), etag='"v8"'), answer("", 204))

    assert warehouse.cancel("SUB-90000001", "4100001", "no more") == Cancelled()
    assert http.requests[4].headers["If-Match"] == '"v8"'


def test_an_order_that_changes_all_the_time_is_left_after_three_tries():
    warehouse, http = manager(*[VERSION, answer("", 412)] * 3)

    assert warehouse.cancel("SUB-90000001", "4100001", "no more") == Retryable("the order changes all the time (412)")
    assert http.answers == []


def test_an_order_that_was_shipped_meanwhile_is_not_cancelled():
    warehouse, _ = manager(VERSION, answer("", 412), answer(row(status=1), etag='"v8"'))

    assert warehouse.cancel("SUB-90000001", "4100001", "no more") == Refused("OrderConfirmed")


def test_an_order_without_a_known_id_is_looked_up_before_it_is_cancelled():
    assert manager(listing(row()), VERSION, answer("", 204))[0].cancel("SUB-90000001", "", "no") == Cancelled()
    assert manager(listing(row(status=2)))[0].cancel("SUB-90000001", "", "no") == Cancelled()
    assert manager(listing())[0].cancel("SUB-90000001", "", "no") == NotFound()


def test_nothing_has_to_be_acknowledged():
    warehouse, http = manager()

    assert warehouse.acknowledge("SUB-90000001", ["TEST1"]) is None
    assert http.requests == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "client_id is missing; client_secret is missing; customer_id is missing; facility is missing"),
        (CONFIG | {"customer_id": "seven"}, "customer_id must be a number"),
        (CONFIG | {"base_url": "https://user:key@example.com"}, "base_url must be an https address"),
    ],
)
def test_a_faulty_config_is_named(config, message):
    with pytest.raises(Misconfigured, match=message):
        WarehouseManager(config, make_tools(RecordedHTTP(GRANT)))


def test_an_order_of_another_number_under_a_known_id_is_not_cancelled():
    """The id may be of the account before."""
    warehouse, http = manager(answer(row("SUB-4711"), etag='"1"'))

    assert warehouse.cancel("SUB-90000001", "4100001", "no more") == Refused("another_order")
    assert [request.method for request in http.requests] == ["POST", "GET"]
