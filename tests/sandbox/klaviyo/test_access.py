"""What every call passes: the key, the revision, the address, the scope, the windows, the content type."""

from __future__ import annotations

import pytest

from sandbox.klaviyo.app import World, create_app
from tests.sandbox.klaviyo.api import KEY, Api, event, profile


def test_the_key_check_answers_with_one_account(api):
    answer = api.get("accounts")

    assert (answer.status_code, [one["type"] for one in answer.json["data"]]) == (200, ["account"])


@pytest.mark.parametrize("authorization", [None, "Klaviyo-API-Key pk_another", f"Bearer {KEY}", KEY])
def test_a_missing_wrong_or_otherwise_written_key_is_401(api, authorization):
    assert api.get("accounts", Authorization=authorization).status_code == 401


def test_a_key_that_is_replaced_is_refused_from_then_on(api):
    api.control("switches", {"api_key": "pk_next"})

    assert api.get("accounts").status_code == 401


def test_a_key_without_the_scope_of_a_call_is_403_for_that_call_alone(api):
    api.control("switches", {"missing_scopes": ["events:write"]})

    assert [api.post("events", event()).status_code, api.get("accounts").status_code] == [403, 200]


@pytest.mark.parametrize("revision", [None, "latest", "2026-7-15"])
def test_a_missing_or_malformed_revision_is_400(api, revision):
    assert api.get("accounts", revision=revision).status_code == 400


@pytest.mark.parametrize("revision", ["2024-10-15", "2026-07-15", "2026-10-15", "2026-07-15.pre"])
def test_revisions_of_the_last_two_years_are_served(api, revision):
    assert api.get("accounts", revision=revision).status_code == 200


def test_a_retired_revision_is_410(api):
    assert api.get("accounts", revision="2024-07-15").status_code == 410


def test_a_retired_revision_may_be_served_by_a_newer_one(api):
    api.control("switches", {"retired_revision": "served"})

    assert api.get("accounts", revision="2024-07-15").status_code == 200


def test_a_client_that_opts_out_of_a_newer_revision_gets_410(api):
    api.control("switches", {"retired_revision": "served"})
    opted_out = {"X_Klaviyo_Revision_Fall_Forward_Opt_Out": "1"}

    assert api.get("accounts", revision="2024-07-15", **opted_out).status_code == 410


def test_an_unknown_address_is_404(api):
    assert api.get("campaign").status_code == 404


def test_another_method_of_a_known_address_is_405(api):
    assert api.call("DELETE", "events").status_code == 405


def test_plain_json_is_accepted(api):
    document = profile(email="alice@example.com")

    assert api.post("profile-import", document, Content_Type="application/json").status_code == 201


def test_a_content_type_that_is_no_json_is_415(api):
    assert api.post("events", event(), Content_Type="text/plain").status_code == 415


def test_an_error_is_a_json_api_document(api):
    [error] = api.get("accounts", Authorization=None).json["errors"]

    assert set(error) == {"id", "status", "code", "title", "detail", "source", "links", "meta"}


def test_a_filter_that_is_not_understood_is_named_as_a_parameter(api):
    [error] = api.get("profiles?filter=any(email)").json["errors"]

    assert error["source"] == {"parameter": "filter"}


class TestWindows:
    """By a clock that the test sets."""

    @pytest.fixture
    def clock(self):
        return [1_772_470_020.0]

    @pytest.fixture
    def limited(self, clock):
        world = World(KEY, tier="documented", now=lambda: clock[0])
        return Api(create_app(world).test_client())

    @pytest.mark.parametrize(
        ("tier", "burst", "steady"), [("xs", 1, 15), ("s", 3, 60), ("m", 10, 150), ("l", 75, 700), ("xl", 350, 3500)]
    )
    def test_a_tier_has_a_burst_and_a_steady_window(self, limited, clock, tier, burst, steady):
        limited.control("switches", {"tier": tier})
        answers = []
        for _ in range(steady // burst + 1):
            clock[0] += 1
            answers += [limited.get("accounts").status_code for _ in range(burst + 1)]

        assert answers[: burst + 1] == [200] * burst + [429]
        assert answers.count(200) == steady

    @pytest.mark.parametrize(
        ("path", "burst"),
        [
            ("accounts", 1),
            ("data-privacy-deletion-jobs", 3),
            ("event-bulk-create-jobs", 10),
            ("profile-bulk-import-jobs", 10),
            ("profile-merge", 10),
            ("profile-import", 75),
            ("events", 350),
        ],
    )
    def test_each_endpoint_has_its_documented_burst(self, limited, path, burst):
        method = "GET" if path == "accounts" else "POST"
        answers = [limited.call(method, path, {}).status_code for _ in range(burst + 1)]

        assert [answers.count(429), answers[-1]] == [1, 429]

    def test_one_endpoint_does_not_use_up_another(self, limited):
        limited.get("accounts")

        assert limited.post("events", event()).status_code == 202

    def test_an_answer_names_what_is_left(self, limited):
        headers = limited.post("events", event()).headers

        assert [headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")] == ["350", "349", "1"]

    def test_a_refused_document_names_what_is_left_as_well(self, limited):
        assert limited.post("events", {}).headers["RateLimit-Remaining"] == "349"

    def test_a_throttled_call_has_retry_after_and_no_other_header_of_limits(self, limited):
        limited.get("accounts")
        answer = limited.get("accounts")

        assert [name for name, _ in answer.headers if name.startswith(("RateLimit", "Retry"))] == ["Retry-After"]

    def test_a_throttled_call_is_described_as_klaviyo_does(self, limited):
        limited.get("accounts")
        [error] = limited.get("accounts").json["errors"]

        assert {name: error[name] for name in ("status", "code", "title", "detail", "source")} == {
            "status": 429,
            "code": "throttled",
            "title": "Request was throttled.",
            "detail": "Request was throttled. Expected available in 1 second.",
            "source": {"pointer": "/data"},
        }

    def test_who_waits_as_long_as_retry_after_says_is_answered(self, limited, clock):
        for _ in range(15):
            limited.get("accounts")
            clock[0] += 1
        clock[0] += int(limited.get("accounts").headers["Retry-After"])

        assert limited.get("accounts").status_code == 200
