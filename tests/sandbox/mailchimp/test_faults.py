"""Faults: throttling, failures before and after processing, closed connections, revoked keys, slowness."""

from __future__ import annotations

import threading

import pytest
import requests

from sandbox.mailchimp.app import create_app
from sandbox.serving import serving
from tests.sandbox.mailchimp.conftest import KEY, ROBIN, key_of

HTML = "text/html; charset=utf-8"


def set_fault(call, mode, **more):
    return call.sandbox("POST", "/faults", {"mode": mode, **more})


def send(call):
    return call.member("POST", ROBIN, {"name": "order_new"}, below="/events")


def count_events(call):
    return call.sandbox("GET", "/stats")["events"]


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ({"mode": "429"}, 429, "application/problem+json; charset=utf-8"),
        ({"mode": "429-empty"}, 429, HTML),
        ({"mode": "bare-403"}, 403, HTML),
        ({"mode": "502-html"}, 502, HTML),
        ({"mode": "status", "code": 503}, 503, HTML),
        ({"mode": "status", "code": 504, "body": "empty"}, 504, HTML),
        ({"mode": "status", "code": 500, "body": "problem"}, 500, "application/problem+json; charset=utf-8"),
    ],
)
def test_the_next_call_is_answered_with_a_status_and_not_processed(call, fault, status, kind):
    call.put(ROBIN)
    call.sandbox("POST", "/faults", fault)

    answer = send(call)

    assert (answer.status, answer.headers["Content-Type"], count_events(call)) == (status, kind, 0)
    assert send(call).status == 204


@pytest.mark.parametrize("fault", [{"mode": "429-empty"}, {"mode": "bare-403"}, {"mode": "status", "body": "empty"}])
def test_a_throttled_call_may_have_no_body(call, fault):
    call.sandbox("POST", "/faults", fault)

    assert call("GET", "/ping").json == ""


def test_a_throttled_call_has_no_retry_after_unless_it_is_asked_for(call):
    set_fault(call, "429")
    set_fault(call, "429", retry_after=30)

    answers = [call("GET", "/ping") for _ in range(2)]

    assert [answer.headers.get("Retry-After") for answer in answers] == [None, "30"]
    assert answers[0].json["detail"] == "You have exceeded the limit of 10 simultaneous connections."


def test_a_problem_may_have_another_title(call):
    set_fault(call, "status", code=403, body="problem", title="User Disabled", detail="This account is disabled.")

    assert call("GET", "/ping").json["title"] == "User Disabled"


@pytest.mark.parametrize("mode", ["502-html", "status"])
def test_a_call_may_fail_after_it_was_processed(call, mode):
    call.put(ROBIN)
    set_fault(call, mode, processed=True)

    assert (send(call).status, count_events(call)) == (502 if mode == "502-html" else 503, 1)


@pytest.mark.parametrize(("mode", "events"), [("reset-before", 0), ("store-then-reset", 1), ("hang", 0)])
def test_a_connection_closes_before_or_after_processing(call, mode, events):
    call.put(ROBIN)
    set_fault(call, mode, **({"seconds": 0} if mode == "hang" else {}))

    with pytest.raises(ConnectionResetError):
        send(call)

    assert count_events(call) == events


def test_a_client_sees_a_closed_connection(world):
    with serving(create_app(world)) as url, requests.Session() as session:
        session.post(f"{url}/_sandbox/faults", json={"mode": "store-then-reset"})

        with pytest.raises(requests.ConnectionError):
            session.get(f"{url}/3.0/ping", auth=("user", KEY))


def test_a_slow_call_is_stored_at_once_and_answered_with_a_page_of_the_cdn(world, call):
    call.put(ROBIN)
    statuses = []

    def send_over(url):
        with requests.Session() as session:
            path = f"{url}/3.0{call.list}/members/{key_of(ROBIN)}/events"
            statuses.append(session.post(path, json={"name": "order_new"}, auth=("user", KEY)).status_code)

    with serving(create_app(world)) as url, requests.Session() as session:
        session.post(f"{url}/_sandbox/faults", json={"mode": "slow-120"})
        thread = threading.Thread(target=send_over, args=(url,))
        thread.start()
        while session.get(f"{url}/_sandbox/stats").json()["events"] == 0:
            pass
        session.post(f"{url}/_sandbox/release")
        thread.join()

    assert (statuses, count_events(call)) == ([502], 1)


def test_every_key_is_refused_until_the_fault_is_removed(call):
    set_fault(call, "auth-revoked")
    before = [call("GET", "/ping").status for _ in range(2)]
    call.sandbox("DELETE", "/faults")

    assert (before, call("GET", "/ping").status) == ([401, 401], 200)


def test_a_redirect_names_another_host(call):
    set_fault(call, "redirect", code=307, host="http://127.0.0.1:9")

    answer = call("GET", "/ping")

    assert (answer.status, answer.headers["Location"]) == (307, "http://127.0.0.1:9/3.0/ping")


def test_json_may_end_in_the_middle(call):
    set_fault(call, "truncated-json")

    answer = call.web.get("/3.0/ping", headers={"Authorization": f"Bearer {KEY}"})

    assert '{"health_status": "Everything'.startswith(answer.get_data(as_text=True))


def test_a_body_may_come_in_pieces(call):
    set_fault(call, "slow-body", pause_ms=0)

    assert call("GET", "/ping").json == {"health_status": "Everything's Chimpy!"}


def test_a_body_may_be_shorter_than_promised(world):
    with serving(create_app(world)) as url, requests.Session() as session:
        session.post(f"{url}/_sandbox/faults", json={"mode": "wrong-content-length"})

        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            session.get(f"{url}/3.0/ping", auth=("user", KEY))


def test_latency_lasts_and_adds_to_another_fault(call):
    set_fault(call, "latency", ms=0)
    set_fault(call, "bare-403")

    assert [call("GET", "/ping").status for _ in range(2)] == [403, 200]
    assert [fault["mode"] for fault in call.sandbox("GET", "/faults")] == ["latency"]


def test_a_fault_applies_to_a_method_and_a_path_after_some_calls(call):
    call.put(ROBIN)
    set_fault(call, "bare-403", method="POST", path="/events$", skip=1, n=2)

    statuses = [send(call).status for _ in range(4)]

    assert (statuses, call("GET", "/ping").status) == ([204, 403, 403, 204], 200)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"mode": "none"}, "there is no fault 'none'"),
        ({"mode": "latency", "code": 1}, "fault 'latency' has no option 'code'"),
        ({"mode": "latency", "path": "("}, "'(' is no pattern of a path"),
        ({"mode": "status", "body": "xml"}, "option 'body' of fault 'status' cannot be 'xml'"),
    ],
)
def test_a_fault_that_there_is_not_is_refused(call, fault, why):
    assert call.sandbox("POST", "/faults", fault)["error"].startswith(why)


def test_the_next_answers_can_be_set(call):
    call.put(ROBIN)
    call.sandbox("POST", "/answers", [{"status": 503, "headers": {"Retry-After": 7}}, {"status": 502, "after": True}])

    before, after = send(call), send(call)

    assert (before.status, before.headers["Retry-After"], after.status, count_events(call)) == (503, "7", 502, 1)
