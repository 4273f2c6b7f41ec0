"""Faults and the other control paths."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import requests

from sandbox.klaviyo.app import create_app
from sandbox.serving import serving
from tests.sandbox.klaviyo.api import JSON_API, KEY, REVISION, event, profile

ALICE = "alice@example.com"
HEADERS = {"Authorization": f"Klaviyo-API-Key {KEY}", "revision": REVISION, "Content-Type": JSON_API}


def fail(api, mode, **options):
    return api.control("faults", {"mode": mode, **options})


@pytest.mark.parametrize(("processed", "people"), [(False, 0), (True, 1)])
def test_a_status_comes_before_or_after_the_call_is_processed(api, processed, people):
    fail(api, "status", code=502, processed=processed)
    answer = api.import_profile(email=ALICE)

    assert (answer.status_code, len(api.people())) == (502, people)


@pytest.mark.parametrize(("body", "start"), [("html", b"<html>"), ("empty", b""), ("errors", b'{"errors"')])
def test_a_status_has_the_wanted_body(api, body, start):
    fail(api, "status", body=body)
    data = api.get("accounts").data

    assert data[: len(start) or 1] == start


@pytest.mark.parametrize("retry_after", [7, "Mon, 02 Mar 2026 16:50:00 GMT", None])
def test_a_throttled_answer_names_the_wait_in_three_ways(api, retry_after):
    fail(api, "429", retry_after=retry_after)
    answer = api.get("accounts")

    shown = answer.headers.get("Retry-After")
    assert (answer.status_code, shown) == (429, None if retry_after is None else str(retry_after))


def test_a_revoked_key_stays_revoked_until_the_faults_are_removed(api):
    fail(api, "auth-revoked")
    revoked = [api.get("accounts").status_code for _ in range(2)]
    api.client.delete("/_sandbox/faults")

    assert (revoked, api.get("accounts").status_code) == ([401, 401], 200)


def test_a_dropped_call_is_answered_as_if_it_were_kept(api):
    fail(api, "drop")
    answers = [api.import_profile(email=ALICE).status_code for _ in range(2)]

    assert (answers, len(api.people())) == ([201, 201], 1)


def test_a_redirect_names_the_same_path_elsewhere(api):
    fail(api, "redirect", code=307, host="https://b.example.com")
    answer = api.get("accounts")

    assert (answer.status_code, answer.headers["Location"]) == (307, "https://b.example.com/api/accounts")


def test_a_truncated_answer_is_no_json(api):
    fail(api, "truncated-json")
    answer = api.import_profile(email=ALICE)

    assert (answer.status_code, len(api.people())) == (201, 1)
    with pytest.raises(ValueError, match=r"."):
        json.loads(answer.data)


@pytest.mark.parametrize(("mode", "people"), [("reset-before", 0), ("store-then-reset", 1)])
def test_a_connection_is_closed_before_or_after_the_call_is_processed(world, mode, people):
    world.faults.add({"mode": mode})
    with serving(create_app(world)) as url, requests.Session() as session, pytest.raises(requests.ConnectionError):
        session.post(f"{url}/api/profile-import", json=profile(email=ALICE), headers=HEADERS, timeout=10)

    assert len(world.account.profiles.all) == people


def test_a_call_that_hangs_is_not_answered_in_time(world):
    world.faults.add({"mode": "hang"})
    with serving(create_app(world)) as url, requests.Session() as session:
        with pytest.raises(requests.Timeout):
            session.get(f"{url}/api/accounts", headers=HEADERS, timeout=0.1)
        world.release()

    assert world.faults.listed() == []


def test_a_slow_call_is_answered(api):
    fail(api, "latency", ms=1, n=1)

    assert api.get("accounts").status_code == 200


def test_a_fault_is_for_the_calls_that_it_names(api):
    fail(api, "status", method="POST", path="^events$", skip=1)
    statuses = [api.post("events", event(str(number))).status_code for number in range(3)]

    assert (api.get("accounts").status_code, statuses) == (200, [202, 503, 202])


@pytest.mark.parametrize(
    "wanted",
    [{"mode": "none"}, {"mode": "hang", "ms": 1}, {"mode": "status", "body": "x"}, {"mode": "hang", "path": "("}],
)
def test_a_fault_that_there_is_not_is_refused(api, wanted):
    assert "error" in api.control("faults", wanted)


@pytest.mark.parametrize(
    "wanted", [{"tier": "xxl"}, {"missing_scopes": ["all"]}, {"api_key": ""}, {"is_holding": 1}, {"other": 1}]
)
def test_a_switch_that_there_is_not_is_refused(api, wanted):
    assert "error" in api.control("switches", wanted)


def test_people_are_shown_in_parts(api):
    for number in range(3):
        api.import_profile(external_id=f"cj_{number}")

    assert [one["id"] for one in api.control("people?offset=1&limit=1")] == ["cj_1"]


def test_a_reset_keeps_switches_and_faults(api):
    api.import_profile(email=ALICE)
    api.control("switches", {"is_holding": True})
    fail(api, "hang")
    api.control("reset", {})

    assert (api.people(), api.control("switches")["is_holding"], len(api.control("faults"))) == ([], True, 1)


def test_it_prints_its_address_and_its_key_as_json():
    command = [sys.executable, "-m", "sandbox.klaviyo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = json.loads(process.stdout.readline())
        process.terminate()

    assert (set(line), process.returncode) == ({"url", "base_url", "api_key"}, 0)
