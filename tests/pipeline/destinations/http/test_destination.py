from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.core.errors import Misconfigured, Unreachable, WrongAddress
from pipeline.core.messages import ConnectionBroken, Identifiers, Message, PersonRef, Rejected, RetryAfter, Sent
from pipeline.destinations.http import AnyHTTP
from pipeline.destinations.http.preview import preview
from pipeline.infra.http.client import HTTPClient, HTTPResponse, public_http
from tests.contracts.http_kits import running_api
from tests.contracts.messages import AT, event, person, profile

ALICE = person(1)
DOCUMENT: dict[str, Any] = {
    "headers": {"X-Api-Key": "{{api_key}}"},
    "check": {"url": "https://api.example.com/me"},
    "profile": {
        "method": "PUT",
        "url": "https://api.example.com/people/${person.email}?n=${person.customer_id}",
        "body": {"name": "attributes.?first_name", "n": "attributes.n", "fixed": [1, True, None, "'x'"]},
    },
    "event": {
        "url": "https://api.example.com/events",
        "idempotency_header": "X-Once",
        "body": {"name": "event", "data": "properties", "id": "id", "at": "at"},
    },
    "forget": {"each": "email", "method": "DELETE", "url": "https://api.example.com/people/${email}"},
}


class FakeHTTP(HTTPClient):
    """Answers from a list, and keeps what was called."""

    def __init__(self, *answers: HTTPResponse | int) -> None:
        super().__init__()
        self.answers = [HTTPResponse(one) if isinstance(one, int) else one for one in answers]
        self.calls: list[tuple[str, str, dict[str, str], bytes | None]] = []

    def call(self, method, url, *, headers=None, body=None, max_bytes=0) -> HTTPResponse:  # noqa: ARG002
        self.calls.append((method, url, dict(headers or {}), body))
        return self.answers.pop(0) if self.answers else HTTPResponse(200)


def make(http: HTTPClient, document: dict[str, Any] | None = None, **changed: Any) -> AnyHTTP:
    text = json.dumps((document or DOCUMENT) | changed)
    return AnyHTTP({"config": text, "api_key": "top-secret"}, http)


def send(http: HTTPClient, *messages: Message, **changed: Any) -> list[Any]:
    return list(make(http, **changed).send(messages).outcomes)


def test_a_profile_becomes_its_request():
    http = FakeHTTP()

    assert send(http, profile(1, PersonRef(1, 7, "a/b+c@example.com"), first_name="Robin", n=2)) == [Sent()]
    [(method, url, headers, body)] = http.calls
    assert (method, url) == ("PUT", "https://api.example.com/people/a%2Fb%2Bc%40example.com?n=7")
    assert headers == {"X-Api-Key": "top-secret", "Content-Type": "application/json"}
    assert body == b'{"fixed":[1,true,null,"x"],"n":2,"name":"Robin"}'


def test_an_event_has_the_same_bytes_and_id_on_every_try():
    http = FakeHTTP(503)
    destination = make(http)
    message = event(2, ALICE, "order_new", total=3900, b={"z": 1, "a": "é"})

    destination.send([message])
    destination.send([message])

    assert http.calls[0] == http.calls[1]
    assert http.calls[0][2]["X-Once"] == message.message_id
    assert json.loads(http.calls[0][3] or b"")["id"] == message.message_id


def test_a_failing_expression_takes_out_that_message_only():
    http = FakeHTTP()

    outcomes = send(http, profile(1, ALICE, first_name="x"), profile(2, ALICE, n=2), event(3, ALICE))

    assert outcomes == [Rejected("mapping_failed", 'profile.body.n: Key not found in map : "n"'), Sent(), Sent()]
    assert len(http.calls) == 2


def test_what_has_no_request_is_not_needed():
    document = {key: value for key, value in DOCUMENT.items() if key != "profile"}

    assert list(make(FakeHTTP(), document).send([profile(1, ALICE, n=1)]).outcomes) == [Sent(("skipped:no_request",))]


@pytest.mark.parametrize(
    ("when", "outcome"),
    [
        ("event == 'order_new'", Sent()),
        ("event != 'order_new'", Sent(("skipped:condition",))),
        ("event", Rejected("mapping_failed", "event.when: is neither true nor false")),
    ],
)
def test_a_condition_decides(when, outcome):
    assert send(FakeHTTP(), event(1, ALICE), event={**DOCUMENT["event"], "when": when}) == [outcome]


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (PersonRef(1, None, None), "no_identifier"),
        (PersonRef(1, 7, None), "mapping_failed"),
        (PersonRef(1, 7, ".."), "mapping_failed"),
    ],
)
def test_no_identifier_and_no_address_make_no_call(who, reason):
    http = FakeHTTP()

    [outcome] = send(http, profile(1, who, n=1))

    assert (outcome.reason, http.calls) == (reason, [])


@pytest.mark.parametrize("data", [{"x": "x" * 300_000}, {"x": ["y" * 100] * 3_000}])
def test_what_is_too_large_is_refused(data):
    [outcome] = send(FakeHTTP(), event(1, ALICE, **data))

    assert isinstance(outcome, Rejected)
    assert outcome.reason == "too_large"


def test_numbers_without_json_and_lone_surrogates_are_sent_all_the_same():
    http = FakeHTTP()

    assert send(http, event(1, ALICE, a=float("nan"), b="\ud800")) == [Sent()]
    assert json.loads(http.calls[0][3] or b"")["data"] == {"a": None, "b": "?"}


def test_what_is_nested_too_deeply_is_refused():
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]

    [outcome] = send(FakeHTTP(), event(1, ALICE, deep=deep))

    assert isinstance(outcome, Rejected)
    assert outcome.reason == "too_deep"


@pytest.mark.parametrize(
    ("answers", "response", "outcome"),
    [
        ({}, HTTPResponse(204), Sent()),
        ({}, HTTPResponse(503, {"retry-after": "3"}), RetryAfter(3.0, "answered 503")),
        ({}, HTTPResponse(None, error="timeout while reading"), RetryAfter(None, "timeout while reading")),
        ({}, HTTPResponse(401), ConnectionBroken("the API refuses this connection (401)")),
        ({}, HTTPResponse(302), ConnectionBroken("the address redirects, which is not followed (302)")),
        ({}, HTTPResponse(422, body='{"message": "bad a@example.com"}'), Rejected("refused", "bad [address]")),
        ({}, HTTPResponse(413), Rejected("too_large")),
        ({"again": [409]}, HTTPResponse(409), RetryAfter(None, "answered 409")),
        ({"again": [409]}, HTTPResponse(503), Rejected("refused", "answered 503")),
        (
            {"again": [429], "retry_after": "X-Wait"},
            HTTPResponse(429, {"x-wait": "9"}),
            RetryAfter(9.0, "answered 429"),
        ),
        ({"success": [200, 409]}, HTTPResponse(409), Sent()),
        ({"broken": [404]}, HTTPResponse(404), ConnectionBroken("the API refuses this connection (404)")),
        ({"success_when": "answer.body.ok"}, HTTPResponse(200, body='{"ok": true}'), Sent()),
        ({"success_when": "answer.body == 'ok'"}, HTTPResponse(200, body="ok"), Sent()),
        (
            {"success_when": "answer.body.ok"},
            HTTPResponse(200, body='{"ok": false, "error": "no list"}'),
            Rejected("refused", "no list"),
        ),
        (
            {"success_when": "answer.body.ok"},
            HTTPResponse(200, body="{}"),
            Rejected("refused", 'the answer is not as expected: answers.success_when: Key not found in map : "ok"'),
        ),
    ],
)
def test_an_answer_means_what_the_document_says(answers, response, outcome):
    assert send(FakeHTTP(response), event(1, ALICE), answers=answers) == [outcome]


def test_a_person_is_forgotten_by_each_address_in_a_request_of_its_own():
    http = FakeHTTP()

    reply = make(http).forget(Identifiers((7,), ("a@example.com", "b@example.com"), AT), "delete")

    assert reply.outcomes == (Sent(),)
    assert [call[1].rpartition("/")[2] for call in http.calls] == ["a%40example.com", "b%40example.com"]
    assert "@" not in repr(reply)


def test_forgetting_goes_on_later_where_it_failed():
    http = FakeHTTP(200, 503)

    reply = make(http).forget(Identifiers((), ("a@example.com", "b@example.com", "c@example.com"), AT), "delete")

    assert reply.outcomes == (RetryAfter(None, "answered 503"),)
    assert len(http.calls) == 2


def test_a_document_that_is_unable_to_forget_says_so():
    [outcome] = make(FakeHTTP(), forget="unable").forget(Identifiers((7,)), "delete").outcomes

    assert isinstance(outcome, Rejected)
    assert outcome.reason == "cannot_forget"


def test_a_private_address_is_not_called_when_it_is_saved_or_sent_to():
    with running_api() as kit:
        guarded = AnyHTTP(kit.config(), public_http)

        with pytest.raises(WrongAddress, match="not a public address"):
            guarded.check()
        assert [type(one) for one in guarded.send([event(1, ALICE)]).outcomes] == [RetryAfter]
    assert kit.api.log == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_no_other_request_of_a_document_may_lead_into_our_network(host):
    document = DOCUMENT | {"event": {"url": f"http://{host}/x", "body": {}}}

    with pytest.raises(WrongAddress, match="may only be called for trying out"):
        AnyHTTP({"config": json.dumps(document), "api_key": "k"}, public_http).check()


def test_another_account_or_key_is_another_account():
    accounts = {
        make(FakeHTTP()).check().account,
        AnyHTTP({"config": json.dumps(DOCUMENT), "api_key": "other"}, FakeHTTP()).check().account,
        AnyHTTP({"config": json.dumps(DOCUMENT), "api_key": "top-secret", "account": "b"}, FakeHTTP()).check().account,
    }

    assert len(accounts) == 3
    assert not any("secret" in one for one in accounts)


def test_the_rate_of_the_document_is_saved():
    assert make(FakeHTTP(), calls_per_second=3).check().config["calls_per_second"] == "3"


@pytest.mark.parametrize(
    ("status", "error"), [(404, WrongAddress), (301, WrongAddress), (500, Unreachable), (422, Misconfigured)]
)
def test_a_check_that_fails_says_what_is_wrong(status, error):
    with pytest.raises(error):
        make(FakeHTTP(status)).check()


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({}, "config is missing"),
        ({"preset": "nope"}, "preset must be one of"),
        ({"preset": "drip", "account": "a/b"}, "account has letters"),
        ({"preset": "drip", "account": "12", "api_key": "a b c d"}, "api_key holds 3 keys at most"),
        ({"preset": "drip", "account": "12"}, "api_key is missing"),
        ({"preset": "slack", "hook_url": "http://hooks.example.com"}, "must be an https address"),
    ],
)
def test_a_field_that_is_wrong_is_named(config, fault):
    with pytest.raises(Misconfigured, match=fault):
        AnyHTTP(config, FakeHTTP())


def test_the_document_is_left_out_with_a_preset():
    config = {"preset": "slack", "hook_url": "https://hooks.example.com/x", "config": "[nonsense"}

    assert AnyHTTP(config, FakeHTTP()).check().config["config"] == ""


def test_a_preview_shows_the_request_without_the_keys():
    config = {"config": json.dumps(DOCUMENT), "api_key": "top-secret"}

    shown = preview(event(1, ALICE, total=1), config)

    assert shown is not None
    assert (shown.method, shown.url) == ("POST", "https://api.example.com/events")
    assert "X-Api-Key: API_KEY" in shown.headers
    assert json.loads(shown.body)["data"] == {"total": 1}


def test_a_preview_shows_basic_authentication_as_it_is_typed():
    shown = preview(event(1, ALICE), {"preset": "drip", "account": "12", "api_key": "top-secret"})

    assert shown is not None
    assert shown.user == "API_KEY:"


@pytest.mark.parametrize("config", [{}, {"preset": "slack", "hook_url": "https://hooks.example.com/x"}])
def test_there_is_no_preview_of_what_is_not_sent(config):
    assert preview(profile(1, ALICE, n=1), config) is None


def test_an_event_without_a_name_is_refused():
    assert send(FakeHTTP(), event(1, ALICE, " ")) == [Rejected("event_name_missing")]


def test_a_check_whose_condition_is_false_is_not_made():
    with pytest.raises(Misconfigured, match="check: its condition is false"):
        make(FakeHTTP(), check={**DOCUMENT["check"], "when": "1 > 2"}).check()


def test_a_document_is_sent_the_way_in_which_a_person_is_forgotten():
    http = FakeHTTP()
    document = DOCUMENT | {
        "forget": {"url": "https://api.example.com/forget", "body": {"how": "mode", "who": "emails"}}
    }

    make(http, document).forget(Identifiers((), ("a@example.com",), AT), "suppress")

    assert http.calls[0][3] == b'{"how":"suppress","who":["a@example.com"]}'
