"""Every row of the tables of the Cart API, on the answers of the port."""

from __future__ import annotations

import pytest

from pipeline.core.fulfilment import (
    AlreadyExists,
    AuthError,
    Cancelled,
    CancelPending,
    Created,
    Invalid,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
    WarehouseCall,
)
from pipeline.warehouses.cartrover import CartRover
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

CONFIG = {"api_user": "user", "api_key": "key"}
LIMITED = answer(
    {"success_code": False, "error_code": "RateLimit", "message": "Over API Limit. Please slow down requests."}
)


def cartrover(*answers, **config):
    return CartRover(CONFIG | config, make_tools(RecordedHTTP(*answers)))


def failure(code: str, message: str, **more: str):
    return answer({"success_code": False, "error_code": code, "message": message, **more})


@pytest.mark.parametrize(
    "message",
    ["Order not found", "Order SUB-90000001 does not exist", "No such order", "SUB-90000001 not found", "Not found"],
)
def test_words_about_an_order_that_there_is_not(message):
    assert cartrover(failure("Invalid", message)).find("SUB-90000001") == NotFound()


@pytest.mark.parametrize(
    "message",
    ["Item not found in WMS: BOX", "Order item not found", "Ship method does not exist", "Order source not found?"],
)
def test_words_about_something_else_say_nothing_of_the_order(message):
    assert not isinstance(cartrover(failure("Invalid", message)).find("SUB-90000001"), NotFound)


@pytest.mark.parametrize(
    "message", ["Merchant not found", "The account is inactive", "API user unknown", "Order source not found"]
)
def test_an_account_that_is_not_known_is_an_error_of_the_connection(message):
    asked = cartrover(*[failure("Invalid", message)] * 3)

    unknown = AuthError("Integration Manager does not know the account of these keys")
    assert [asked.find("SUB-1"), asked.create(ORDER), asked.cancel("SUB-1", "", "no more")] == [unknown] * 3


COMMON = [
    (LIMITED, RateLimited(3.0, doubles=True)),
    (answer("no", 429, retry_after="7"), RateLimited(7.0)),
    (answer("no", 429), RateLimited(5.0, doubles=True)),
    (answer({"success_code": False, "error_code": "Invalid"}, 401), AuthError("API user and key do not fit (401)")),
    (answer("", 403), AuthError("API user and key do not fit (403)")),
    (answer("", 302, location="https://elsewhere.example/"), AuthError("redirected (302)")),
    (NOT_PUBLIC, AuthError("not a public address")),
    (NOT_SENT, Retryable("connection refused")),
]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *COMMON,
        (
            answer({"success_code": True, "cust_ref": "SUB-90000001", "order_number": "SUB-90000001"}),
            Created("SUB-90000001"),
        ),
        (answer({"success_code": True}), Created("SUB-90000001")),
        (failure("Failure", "OrderDuplicate"), AlreadyExists()),
        (
            answer({"success_code": False, "error_code": "Failure", "status_message": "duplicate order"}),
            AlreadyExists(),
        ),
        (
            failure("Invalid", "Order missing required field(s): cust_ref, ship_zip"),
            Invalid(
                (
                    ("cust_ref", "Invalid: Order missing required field(s): cust_ref, ship_zip"),
                    ("ship_zip", "Invalid: Order missing required field(s): cust_ref, ship_zip"),
                )
            ),
        ),
        (failure("Failure", "Item BOX-2602 is unknown"), Invalid((("order", "Failure: Item BOX-2602 is unknown"),))),
        (failure("Invalid", "", error_response="no such SKU"), Invalid((("order", "Invalid: no such SKU"),))),
        (answer({"success_code": False}), Invalid((("order", "refused"),))),
        (answer("oops", 503), OutcomeUnknown("answered 503")),
        (PAGE, OutcomeUnknown("answered 200 without a readable body")),
        (answer("", 404), OutcomeUnknown("answered 404 without a readable body")),
        (TIMEOUT, OutcomeUnknown("timeout while reading")),
        (BROKEN_OFF, OutcomeUnknown("connection broke off")),
    ],
)
def test_each_answer_to_a_new_order(given, expected):
    assert cartrover(given).create(ORDER) == expected


def test_a_refusal_is_passed_on_without_the_persons_data():
    words = "Cannot ship to Example Recipient, 1 Test Street, mail buyer@example.com: BOX-2602 needs ship_phone"

    refused = cartrover(failure("Invalid", words)).create(ORDER)

    assert refused == Invalid(
        (("ship_phone", "Invalid: Cannot ship to … …, 1 … …, mail [address]: BOX-2602 needs ship_phone"),)
    )


FULL = {
    "cust_ref": "SUB-90000001",
    "order_status": "at_wms",
    "ship_first_name": "EXAMPLE",
    "ship_last_name": "RECIPIENT",
    "ship_zip": "00000-1234",
    "items": [{"item": "BOX-2602", "quantity": "1"}],
    "shipments": [],
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *COMMON,
        (failure("Invalid", "Order not found"), NotFound()),
        (answer({"success_code": True, "response": None}), NotFound()),
        (answer({"success_code": True, "response": []}), NotFound()),
        (failure("Failure", "Something else"), Retryable("unreadable: Failure")),
        (
            answer({"success_code": True, "response": {**FULL, "cust_ref": "SUB-9"}}),
            Retryable("answered with another order"),
        ),
        (answer("oops", 500), Retryable("answered 500")),
        (PAGE, Retryable("answered 200 without a readable body")),
        (TIMEOUT, Retryable("timeout while reading")),
    ],
)
def test_each_answer_to_a_look_up(given, expected):
    assert cartrover(given).find("SUB-90000001") == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *COMMON,
        (failure("Invalid", "Order not found"), NotFound()),
        (answer("oops", 500), OutcomeUnknown("answered 500")),
        (TIMEOUT, OutcomeUnknown("timeout while reading")),
        (PAGE, OutcomeUnknown("answered 200 without a readable body")),
    ],
)
def test_each_answer_to_a_cancel_that_decides_by_itself(given, expected):
    assert cartrover(given).cancel("SUB-90000001", "", "Cancelled in Cratejoy") == expected


DONE = answer({"success_code": True, "response": {"success": True, "message": ""}})
TOO_LATE = answer({"success_code": True, "response": {"success": False, "message": "Order has already shipped"}})


def status(word: str, **more: str):
    return answer({"success_code": True, "response": {"cust_ref": "SUB-90000001", "order_status": word, **more}})


@pytest.mark.parametrize(
    ("given", "then", "expected"),
    [
        (DONE, status("canceled"), Cancelled()),
        (DONE, status("new", sending_canceled="Y"), Cancelled()),
        (DONE, status("at_wms"), CancelPending()),
        (DONE, answer("oops", 500), CancelPending()),
        (TOO_LATE, status("shipped"), Refused("Order has already shipped")),
        (TOO_LATE, status("canceled"), Cancelled()),
        (
            failure("Failure", "Order can no longer be canceled"),
            status("at_wms"),
            Refused("Order can no longer be canceled"),
        ),
        (failure("Failure", ""), status("at_wms"), Refused("Failure")),
    ],
)
def test_a_cancel_counts_only_when_the_status_says_so(given, then, expected):
    assert cartrover(given, then).cancel("SUB-90000001", "", "Cancelled in Cratejoy") == expected


def test_the_older_cancel_call_is_a_setting():
    http = RecordedHTTP(answer({"success_code": True}), status("canceled"))

    CartRover(CONFIG | {"cancel_call": "legacy"}, make_tools(http)).cancel("SUB-1", "", "no more")

    assert (http.requests[0].method, http.requests[0].content) == ("POST", {"cust_ref": "SUB-1"})
    assert http.requests[0].url.endswith("/v1/cart/orders/cancel/cartrover")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *COMMON,
        (answer({"success_code": True}), None),
        (failure("Invalid", "Order not found"), Invalid((("order", "Invalid"),))),
        (TIMEOUT, Retryable("timeout while reading")),
    ],
)
def test_each_answer_to_an_acknowledgement(given, expected):
    assert cartrover(given).acknowledge("SUB-90000001", ["TEST1"]) == expected


def test_an_acknowledgement_names_the_tracking_numbers():
    http = RecordedHTTP(answer({"success_code": True}))

    CartRover(CONFIG, make_tools(http)).acknowledge("SUB-90000001", ["TEST1", "TEST2"])

    assert http.requests[0].url == "https://api.cartrover.com/v1/cart/orders/update/SUB-90000001"
    assert http.requests[0].content == {
        "order_status": "confirmed",
        "shipments": [{"tracking_no": "TEST1"}, {"tracking_no": "TEST2"}],
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [*COMMON, (answer({"success_code": True, "response": []}, total_records="12"), {"new_orders": 12})],
)
def test_each_answer_to_a_check(given, expected):
    assert cartrover(given).check() == expected


def test_a_call_is_recorded_with_the_support_id_and_without_the_number():
    calls: list[WarehouseCall] = []
    http = RecordedHTTP(answer({"success_code": True, "response": FULL}, x_cartrover_process_id="p-7"))

    CartRover(CONFIG, make_tools(http, calls)).find("SUB-90000001")

    assert [(call.method, call.path, call.status, call.support_id) for call in calls] == [
        ("GET", "/cart/orders/{cust_ref}", 200, "p-7")
    ]


def test_nothing_is_called_while_the_budget_is_used_up():
    http = RecordedHTTP()

    assert CartRover(CONFIG, make_tools(http, waits=[0.6])).find("SUB-90000001") == RateLimited(0.6)
    assert http.requests == []


def test_a_new_order_takes_no_turn_of_the_budget():
    http = RecordedHTTP(answer({"success_code": True}))

    assert CartRover(CONFIG, make_tools(http, waits=[0.6])).create(ORDER) == Created("SUB-90000001")
