"""Each preset against the sandbox in the shape of its API, read from the vendor's pages."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest

from pipeline.core.errors import BadCredentials, WrongAddress
from pipeline.core.messages import ConnectionBroken, Identifiers, Message, Rejected, RetryAfter, Sent
from pipeline.destinations.http import AnyHTTP
from pipeline.destinations.http.presets import list_presets, read_preset
from pipeline.infra.http.client import MAX_BODY_BYTES, HTTPClient, HTTPResponse, Method
from sandbox.http.app import API, create_app
from sandbox.http.shape import Shape
from tests.contracts.messages import event, person, profile

ALICE, GUEST = person(1), person(2, customer=False)
ATTRIBUTES = {
    "first_name": "Robin",
    "last_name": "Muster",
    "city": "Bern",
    "region": "BE",
    "country": "CH",
    "phone": "+41 31 000 00 00",
    "order_count": 2,
    "subscription_status": "active",
}
ACCOUNT = "12345"
KEYS = {"drip": base64.b64encode(b"a-key:").decode(), "activecampaign": "a-key"}
HOOKS = {
    "slack": "https://hooks.slack.com/services/T000/B000/a-key",
    "zapier": f"https://hooks.zapier.com/hooks/catch/{ACCOUNT}/a-key/",
}
WITH_PROFILES = [name for name in list_presets() if name != "slack"]
WITH_FORGET = ["drip", "hubspot", "zapier"]
ALWAYS_TAKES = ["zapier"]  # whatever it is sent, and under whatever key


class SandboxHTTP(HTTPClient):
    """Calls the sandbox's application instead of the vendor: the host becomes the first part of the path."""

    def __init__(self, api: API) -> None:
        super().__init__()
        self._client = create_app(api).test_client()

    def call(
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int = MAX_BODY_BYTES,
    ) -> HTTPResponse:
        answer = self._client.open(url.removeprefix("https:/"), method=method, headers=dict(headers or {}), data=body)
        lowered = {name.lower(): value for name, value in answer.headers.items()}
        return HTTPResponse(answer.status_code, lowered, answer.get_data(as_text=True)[:max_bytes])


def make(name: str) -> tuple[API, AnyHTTP]:
    """The sandbox in the shape of a preset's API, and the preset as a destination."""
    api = API(Shape.load(name), KEYS.get(name, "a-key"), ACCOUNT)
    keys = "a-key event-key actid" if name == "activecampaign" else "a-key"
    config = {"preset": name, "account": ACCOUNT, "api_key": keys, "hook_url": HOOKS.get(name, "")}
    return api, AnyHTTP(config, SandboxHTTP(api))


def send(destination: AnyHTTP, *messages: Message) -> list[object]:
    return list(destination.send(messages).outcomes)


@pytest.mark.parametrize("name", list_presets())
def test_the_check_succeeds_and_names_an_account(name):
    api, destination = make(name)
    checked = destination.check()

    assert checked.account
    assert [one["status"] // 100 for one in api.log] == [2]


@pytest.mark.parametrize("name", [name for name in list_presets() if name not in ALWAYS_TAKES])
def test_a_wrong_key_is_distinguished_from_other_faults(name):
    api, destination = make(name)
    api.key = "another"

    with pytest.raises((BadCredentials, WrongAddress)):
        destination.check()
    message = profile(1, ALICE, **ATTRIBUTES) if name in WITH_PROFILES else event(1, ALICE)
    assert [type(one) for one in send(destination, message)] == [ConnectionBroken]


@pytest.mark.parametrize("name", WITH_PROFILES)
def test_a_profile_is_taken(name):
    api, destination = make(name)
    assert send(destination, profile(1, ALICE, has_profile=False, **ATTRIBUTES)) == [Sent()]

    assert "Robin" in repr(api.log)
    assert ALICE.email in repr(api.log)


@pytest.mark.parametrize("name", WITH_PROFILES)
def test_a_profile_with_hardly_an_attribute_is_taken(name):
    _, destination = make(name)
    assert send(destination, profile(1, GUEST, has_profile=False, gift_recipient=True)) == [Sent()]


@pytest.mark.parametrize("name", list_presets())
def test_an_event_is_taken_with_its_person(name):
    api, destination = make(name)
    assert send(destination, event(2, ALICE, "order_new", total=3900)) == [Sent()]

    assert "order_new" in repr(api.log[-1])
    assert ALICE.email in repr(api.log[-1])


@pytest.mark.parametrize("name", list_presets())
def test_a_person_without_an_address_takes_no_other_message_with_them(name):
    nameless = person(3)
    nameless = type(nameless)(3, 7003, None)

    _, destination = make(name)
    outcomes = send(destination, event(1, nameless), event(2, ALICE))

    assert [type(one) for one in outcomes] == [Sent, Sent]


@pytest.mark.parametrize("name", WITH_FORGET)
def test_a_person_is_forgotten_by_every_address(name):
    api, destination = make(name)
    reply = destination.forget(Identifiers((7001,), ("a@example.com", "b@example.com"), 1_772_470_000), "delete")

    assert reply.outcomes == (Sent(),)
    assert len(reply.calls) == (1 if name == "zapier" else 2)
    assert {one["status"] // 100 for one in api.log} == {2}


@pytest.mark.parametrize("name", [name for name in list_presets() if name not in WITH_FORGET])
def test_what_cannot_forget_says_so(name):
    _, destination = make(name)
    [outcome] = destination.forget(Identifiers((7001,), ("a@example.com",)), "delete").outcomes

    assert isinstance(outcome, Rejected)
    assert outcome.reason == "cannot_forget"


@pytest.mark.parametrize("name", list_presets())
def test_too_many_requests_are_made_again_when_the_api_says(name):
    api, destination = make(name)
    api.next_answers.append({"status": 429, "headers": {"Retry-After": "7"}})

    assert send(destination, event(1, ALICE)) == [RetryAfter(7.0, "answered 429")]


def test_an_event_that_activecampaign_does_not_take_is_refused_though_it_answers_200():
    _, destination = make("activecampaign")
    [outcome] = send(destination, event(1, ALICE, "a name that is longer than thirty-two characters"))

    assert isinstance(outcome, Rejected)
    assert outcome.detail == "Event not spawned"


def test_omnisend_changes_no_status_of_a_contact():
    api, destination = make("omnisend")
    send(destination, profile(1, ALICE, **ATTRIBUTES))

    [identifier] = api.log[0]["body"]["identifiers"]
    assert identifier["channels"] == {"email": {"status": "nonSubscribed", "statusDate": "2000-01-01T00:00:00Z"}}


def test_drip_begins_a_new_subscriber_unsubscribed():
    api, destination = make("drip")
    send(destination, profile(1, ALICE, **ATTRIBUTES))

    assert api.log[0]["body"]["subscribers"][0]["initial_status"] == "unsubscribed"


@pytest.mark.parametrize("name", ["omnisend", "hubspot"])
def test_an_event_that_is_sent_again_is_known_by_its_id(name):
    api, destination = make(name)
    send(destination, event(1, ALICE), event(1, ALICE))

    assert [len(one.events) for one in api.people] == [1]


@pytest.mark.parametrize("name", list_presets())
def test_every_preset_names_the_vendors_pages_and_has_an_emulator(name):
    assert read_preset(name).startswith("#")
    assert "https://" in read_preset(name).split("\n\n")[0]
    assert Shape.load(name).calls
