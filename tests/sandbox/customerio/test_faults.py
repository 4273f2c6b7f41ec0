"""The faults that show in the answer; those that show only on a socket are in test_server."""

from email.utils import parsedate_to_datetime

import pytest

from sandbox.customerio.fault_responses import REPLACEMENTS, TRANSFORMATIONS
from sandbox.customerio.faults import MODES
from sandbox.customerio.http_messages import Transmission
from tests.sandbox.customerio.client import START, Client, basic, person_item


def test_every_mode_is_acted_out_somewhere():
    assert set(MODES) == set(REPLACEMENTS) | set(TRANSFORMATIONS) | {"latency", "drop", "out-of-order", "partial"}


def test_a_status_fault_strikes_n_times_and_nothing_is_stored(client: Client):
    client.fault("status", code=503, n=2)

    answers = [client.identify("cj_1") for _ in range(3)]

    assert [answer.status for answer in answers] == [503, 503, 200]
    assert answers[0].body.startswith(b"<html>")
    assert [call["fault"] for call in client.control("GET", "calls")] == ["status", "status", None]


def test_a_status_fault_may_have_an_empty_body(client: Client):
    client.fault("status", code=500, body="empty")

    assert client.identify("cj_1").body == b""


def test_a_fault_may_last_for_a_time(client: Client):
    client.fault("status", code=502, seconds=10)

    before = client.identify("cj_1").status
    client.clock.seconds += 10
    assert (before, client.identify("cj_1").status) == (502, 200)


def test_a_fault_may_be_for_one_workspace_only(client: Client):
    client.control("POST", "workspaces", {"site_id": "site-2", "api_key": "key-2"})
    client.fault("status", n=-1, workspace="site-2")

    first = client.identify("cj_1").status
    client.authorization = basic("site-2", "key-2")
    assert (first, client.identify("cj_1").status) == (200, 503)


def test_a_fault_may_be_for_one_path_only(client: Client):
    client.fault("status", path="/api/v2/batch")

    assert client.identify("cj_1").status == 200
    assert client.batch().status == 503


def test_faults_can_be_taken_away(client: Client):
    client.fault("auth-revoked")
    revoked = client.identify("cj_1").status
    client.control("DELETE", "faults")

    assert (revoked, client.identify("cj_1").status) == (401, 200)


def test_a_429_comes_without_any_header(client: Client):
    client.fault("429")

    answer = client.identify("cj_1")

    assert answer.status == 429
    assert "Retry-After" not in answer.headers


def test_a_429_comes_with_seconds(client: Client):
    client.fault("429", headers="retry-after", retry_after=7)

    assert client.identify("cj_1").headers["Retry-After"] == "7"


def test_a_429_comes_with_a_date(client: Client):
    client.fault("429", headers="http-date", retry_after=7)

    assert parsedate_to_datetime(client.identify("cj_1").headers["Retry-After"]).timestamp() == START + 7


@pytest.mark.parametrize("code", [301, 307])
def test_a_redirect_names_the_other_host_with_the_same_path(client: Client, code):
    client.fault("redirect", code=code, host="track-eu.customer.io")

    answer = client.batch()

    assert answer.status == code
    assert answer.headers["Location"] == "https://track-eu.customer.io/api/v2/batch"


def test_an_html_answer_looks_like_a_success_and_stores_nothing(client: Client):
    client.fault("html")

    answer = client.identify("cj_1")

    assert (answer.status, answer.body[:6]) == (200, b"<html>")
    assert client.people() == []


def test_a_dropped_call_looks_like_a_success_and_stores_nothing(client: Client):
    client.fault("drop")

    assert client.identify("cj_1").body == b"{}\n"
    assert client.people() == []
    assert client.log() == ["Dropped under load"]


def test_a_partial_fault_rejects_these_positions_of_the_next_batch(client: Client):
    client.fault("partial", indexes=[0, 2])
    client.identify("other")

    answer = client.batch(*(person_item("identify", {"id": name}) for name in "abc"))

    assert answer.status == 207
    assert [person["id"] for person in client.people()] == ["other", "b"]


def test_calls_can_be_applied_in_the_wrong_order(client: Client):
    client.identify("a@example.com")
    client.fault("out-of-order")

    client.track("a@example.com", "first")
    client.track("a@example.com", "second")

    assert [event["name"] for event in client.person("a@example.com")["events"]] == ["second", "first"]


def test_a_deferred_call_is_not_lost_when_no_other_follows(client: Client):
    client.fault("out-of-order")
    client.identify("a@example.com")

    assert [person["email"] for person in client.people()] == ["a@example.com"]


def test_a_reset_processes_the_call_and_says_nothing(client: Client):
    client.fault("reset")

    assert client.identify("cj_1").transmission is Transmission.SILENT
    assert len(client.people()) == 1


def test_a_reset_before_processes_nothing(client: Client):
    client.fault("reset-before")

    assert client.identify("cj_1").transmission is Transmission.SILENT
    assert client.people() == []


@pytest.mark.parametrize(("processed", "people"), [(False, 0), (True, 1)])
def test_a_hanging_call_may_have_been_processed(client: Client, processed, people):
    client.fault("hang", processed=processed)

    assert client.identify("cj_1").transmission is Transmission.HOLD
    assert len(client.people()) == people


def test_latency_of_faults_and_switches_adds_up_beside_another_fault(client: Client):
    client.switch(latency_ms=100)
    client.fault("latency", ms=250)
    client.fault("status", code=500)

    answer = client.identify("cj_1")

    assert (answer.status, answer.delay_s) == (500, 0.35)


def test_over_the_rate_calls_are_refused_until_time_has_passed(client: Client):
    client.switch(rate_limit_per_s=2, rate_limit_answer="429:retry-after")
    burst = [client.identify("cj_1").status for _ in range(3)]
    client.clock.seconds += 1

    assert (burst, client.identify("cj_1").status) == ([200, 200, 429], 200)


def test_over_the_rate_calls_may_be_dropped_silently(client: Client):
    client.switch(rate_limit_per_s=1, rate_limit_answer="drop")

    assert [client.identify(name).status for name in "ab"] == [200, 200]
    assert [person["id"] for person in client.people()] == ["a"]


@pytest.mark.parametrize(
    "wanted",
    [{"mode": "nothing"}, {"mode": "reset", "code": 1}, {"mode": "429", "headers": "x"}, {"mode": "drop", "n": []}],
)
def test_an_unknown_fault_is_refused(client: Client, wanted):
    assert client.call("POST", "/_sandbox/faults", wanted).status == 400


@pytest.mark.parametrize(
    "wanted", [{"nothing": 1}, {"latency_ms": -1}, {"unknown_person": "maybe"}, {"allow_email_update": 1}]
)
def test_an_unknown_switch_is_refused(client: Client, wanted):
    assert client.call("POST", "/_sandbox/switches", wanted).status == 400
