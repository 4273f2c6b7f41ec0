"""Keys, data centres, paths, methods, bodies, headers, pages and fields: what every call has."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest
import requests

from sandbox.mailchimp.app import create_app
from sandbox.mailchimp.gate import Gate
from sandbox.mailchimp.problems import Problem
from sandbox.serving import serving
from tests.sandbox.mailchimp.conftest import KEY, ROBIN


def test_any_user_name_goes_with_the_key(call):
    call.auth = ("anystring", KEY)

    assert call("GET", "/ping").json == {"health_status": "Everything's Chimpy!"}


def test_a_key_is_taken_as_bearer(call):
    answer = call.web.get("/3.0/ping", headers={"Authorization": f"Bearer {KEY}"})

    assert answer.status_code == 200


def test_a_get_may_name_the_key_in_the_query(call):
    call.auth = None

    assert call("GET", "/ping", apikey=KEY).status == 200


def test_another_key_in_the_query_than_in_the_header_is_refused(call):
    assert call("GET", "/ping", apikey="another-us6").status == 401


def test_without_a_key_a_call_is_refused(call):
    call.auth = None

    answer = call("GET", "/ping")

    assert (answer.status, answer.json["title"]) == (401, "API Key Missing")


def test_a_wrong_key_is_refused(call):
    call.auth = ("user", "0123-us6")

    answer = call("GET", "/ping")

    assert (answer.status, answer.json["title"]) == (401, "API Key Invalid")
    assert answer.json["detail"] == "Your API key may be invalid, or you've attempted to access the wrong datacenter."


def test_a_revoked_key_is_refused(call):
    call.sandbox("POST", "/keys", {"revoke": KEY})

    assert call("GET", "/ping").status == 401


def test_the_test_header_asks_for_the_error_of_a_missing_key(call):
    call.web.environ_base["HTTP_X_TRIGGER_ERROR"] = "APIKeyMissing"

    assert call("GET", "/ping").status == 401


def test_a_key_of_another_data_centre_is_refused(call):
    call.sandbox("POST", "/keys", {"data_centre": "us19"})

    answer = call("GET", "/ping")

    assert (answer.status, answer.json["title"]) == (403, "Forbidden")
    assert answer.json["detail"] == "The API key provided is linked to datacenter 'us6'"


def test_a_token_without_a_data_centre_is_taken(call, world):
    world.keys["a-token"] = "user-1"
    call.auth = ("user", "a-token")

    assert call("GET", "/ping").status == 200


def test_plain_http_is_refused_by_a_switch(call):
    call.sandbox("POST", "/switches", {"requires_https": True})

    assert call("GET", "/ping").status == 426


def test_an_unknown_path_is_an_invalid_path(call):
    answer = call("GET", "/nothing")

    assert (answer.status, answer.json["title"], answer.json["detail"]) == (404, "Resource Not Found", "Invalid path")


def test_an_unknown_path_below_an_audience_is_an_invalid_path(call):
    assert call("GET", f"{call.list}/nothing").json["detail"] == "Invalid path"


def test_an_unknown_audience_is_not_found(call):
    answer = call("GET", "/lists/0000000000/members")

    assert (answer.status, answer.json["detail"]) == (404, "The requested resource could not be found.")


@pytest.mark.parametrize(
    ("path", "allowed"), [("/ping", "GET"), ("/batches", "GET, POST"), ("/batches/1", "GET, DELETE"), ("/lists", "GET")]
)
def test_another_method_is_refused_with_those_that_are_allowed(call, path, allowed):
    answer = call("PUT", path, {})

    assert (answer.status, answer.json["title"]) == (405, "Method Not Allowed")
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("body", ["{", b"\xff", '{"vip": NaN}', '{"email_address": "\\ud800@sample-shop.com"}'])
def test_a_body_that_is_no_json_is_refused(call, body):
    answer = call.member("PUT", ROBIN, body)

    assert (answer.status, answer.json["title"]) == (400, "JSON Parse Exception")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/nothing", 404), ("PUT", "/lists", 405), ("PUT", "/lists/0000000000/members/x", 404)],
)
def test_a_wrong_path_or_method_is_said_before_a_body_that_is_no_json(call, method, path, status):
    assert call(method, path, "{").status == status


@pytest.mark.parametrize("body", ["[]", "null", '"text"'])
def test_a_body_that_is_no_object_is_refused(call, body):
    assert call.member("PUT", ROBIN, body).json["title"] == "Invalid Resource"


def test_success_is_json_and_an_error_is_a_problem_document(call):
    assert call("GET", "/ping").headers["Content-Type"] == "application/json; charset=utf-8"
    assert call("GET", "/nothing").headers["Content-Type"] == "application/problem+json; charset=utf-8"


def test_an_error_names_the_request_as_the_header_does(call):
    answer = call("GET", "/nothing")

    assert answer.json["instance"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("form", "type_"),
    [
        ("url", "https://mailchimp.com/developer/marketing/docs/errors/"),
        ("relative", "/docs/errors/"),
        ("missing", None),
    ],
)
def test_the_type_of_an_error_may_be_relative_or_missing(call, form, type_):
    call.sandbox("POST", "/switches", {"problem_type": form})

    assert call("GET", "/nothing").json.get("type") == type_


def test_every_answer_links_its_description(call):
    assert call("GET", "/ping").headers["Link"].endswith('; rel="describedBy"')


def test_an_empty_answer_has_the_type_of_json(call):
    call.put(ROBIN)

    answer = call.member("DELETE", ROBIN)

    assert (answer.status, answer.json) == (204, "")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_page_has_ten_unless_more_are_asked_for(call):
    for number in range(12):
        call.put(f"p{number}@sample-shop.com")

    first = call("GET", f"{call.list}/members").json
    rest = call("GET", f"{call.list}/members", offset=10, count=1000).json

    assert (len(first["members"]), len(rest["members"]), first["total_items"]) == (10, 2, 12)


@pytest.mark.parametrize("count", ["1001", "-1", "x", "9" * 5000])
def test_a_page_of_more_than_a_thousand_is_refused(call, count):
    assert call("GET", "/lists", count=count).json["errors"][0]["field"] == "count"


def test_fields_choose_what_is_shown(call, world):
    answer = call("GET", "/lists", fields="lists.id,lists.stats.member_count,total_items").json

    assert answer == {"lists": [{"id": world.audience.id, "stats": {"member_count": 0}}], "total_items": 1}


def test_excluded_fields_are_not_shown(call):
    [audience] = call("GET", "/lists", exclude_fields="lists.stats,constraints").json["lists"]

    assert "stats" not in audience


def test_a_flag_is_true_or_one_in_any_case(call):
    number = {"NUMBER": "none"}
    call("POST", f"{call.list}/merge-fields", {"name": "Number", "type": "number", "tag": "NUMBER"})

    statuses = [
        call.put(ROBIN, merge_fields=number, query={"skip_merge_validation": flag}).status
        for flag in ("True", "1", "yes", "0")
    ]

    assert statuses == [200, 200, 400, 400]


def test_the_account_says_its_role_and_time_zone(call):
    answer = call("GET", "/").json

    assert {"account_id", "account_name", "role", "pricing_plan_type", "account_timezone"} <= set(answer)


def test_the_account_counts_its_subscribers(call):
    call.put(ROBIN, "subscribed")

    assert call("GET", "/").json["total_subscribers"] == 1


def test_an_audience_says_what_a_merchant_must_know(call):
    call.sandbox("POST", "/audiences", {"id": call.world.audience.id, "double_optin": True, "has_welcome": True})

    audience = call("GET", call.list).json

    assert (audience["double_optin"], audience["has_welcome"]) == (True, True)
    assert {"id", "web_id", "name", "marketing_permissions", "email_type_option", "stats"} <= set(audience)


def test_the_figures_of_an_audience_are_up_to_five_minutes_old(call):
    call("GET", call.list)
    call.put(ROBIN, "subscribed")
    soon = call("GET", call.list).json["stats"]["member_count"]
    call.sandbox("POST", "/clock", {"advance_s": 300})

    assert (soon, call("GET", call.list).json["stats"]["member_count"]) == (0, 1)


def test_the_eleventh_call_of_a_user_is_refused(world):
    gate = Gate(world)
    with ExitStack() as ten:
        for _ in range(10):
            ten.enter_context(gate.entered("user-1"))

        with pytest.raises(Problem) as caught, gate.entered("user-1"):
            pass

        assert caught.value.detail == "You have exceeded the limit of 10 simultaneous connections."


def test_another_user_has_ten_calls_of_their_own(world):
    gate = Gate(world)
    with ExitStack() as stack:
        for number in range(20):
            stack.enter_context(gate.entered(f"user-{number % 2}"))

        assert gate.most_in_progress == 10


def test_ten_calls_that_wait_keep_out_the_eleventh_over_all_keys_of_the_user(world):
    with serving(create_app(world)) as url, requests.Session() as session:
        world.keys["second-us6"] = world.keys[KEY]
        control = f"{url}/_sandbox"
        session.post(f"{control}/faults", json={"mode": "slow-120", "n": 10, "seconds": 60})
        keys = [KEY, "second-us6"] * 5
        threads = [threading.Thread(target=ping, args=(url, key)) for key in keys]
        for thread in threads:
            thread.start()
        while session.get(f"{control}/stats").json()["in_progress"] < 10:
            pass

        refused = session.get(f"{url}/3.0/ping", auth=("user", KEY)).status_code
        session.post(f"{control}/release")
        for thread in threads:
            thread.join()
        taken = session.get(f"{url}/3.0/ping", auth=("user", KEY)).status_code

    assert (refused, taken) == (429, 200)


def ping(url, key):
    with requests.Session() as session:
        session.get(f"{url}/3.0/ping", auth=("user", key))
