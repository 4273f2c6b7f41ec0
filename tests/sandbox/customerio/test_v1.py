import json
from urllib.parse import quote

import pytest

from tests.sandbox.customerio.client import START, ULID, Client, basic


def errors(answer):
    return json.loads(answer.body)["meta"]["errors"]


def test_success_is_an_empty_object_with_the_recorded_headers(client: Client):
    answer = client.identify("cj_1", email="robin@example.com")

    assert (answer.status, answer.body) == (200, b"{}\n")
    assert answer.headers == {
        "content-type": "application/json; charset=utf-8",
        "cache-control": "no-cache, no-store, must-revalidate, max-age=0",
        "access-control-allow-origin": "*",
        "strict-transport-security": "max-age=31536000; includeSubDomains",
        "via": "1.1 google",
    }


@pytest.mark.parametrize(
    "authorization", ["", basic("site-1", "wrong"), basic("nobody", "key-1"), "Basic %%%", "Bearer x"]
)
def test_unknown_credentials_are_unauthorized(client: Client, authorization):
    client.authorization = authorization

    answer = client.identify("cj_1")

    assert answer.status == 401
    assert json.loads(answer.body) == {"meta": {"error": "Unauthorized request"}}
    assert client.people() == []


def test_the_region_call_names_the_sandbox_itself(client: Client):
    answer = client.call("GET", "/api/v1/accounts/region")

    assert json.loads(answer.body) == {"url": "http://127.0.0.1:9", "region": "us", "environment_id": 1}


def test_an_unknown_path_is_not_found(client: Client):
    assert client.call("GET", "/api/v1/nothing").status == 404


def test_a_long_value_is_refused_in_the_vendors_words_pretty_printed(client: Client):
    answer = client.identify("cj_1", myAttribute="x" * 1001)

    message = "value for attribute 'myAttribute' cannot be longer than 1000 bytes"
    assert answer.body.decode() == '{\n  "meta": {\n    "errors": [\n      "' + message + '"\n    ]\n  }\n}\n'


@pytest.mark.parametrize(
    ("value", "status"), [("x" * 1000, 200), ("x" * 1001, 400), ("é" * 500, 200), ("é" * 501, 400), (["x" * 997], 400)]
)
def test_a_value_may_have_a_thousand_bytes(client: Client, value, status):
    assert client.identify("cj_1", plan=value).status == status


@pytest.mark.parametrize(("name", "status"), [("n" * 100, 200), ("n" * 101, 400), ("é" * 50, 200), ("é" * 51, 400)])
def test_an_event_name_may_have_a_hundred_bytes(client: Client, name, status):
    answer = client.track("cj_1", name)

    assert answer.status == status
    if status == 400:
        assert errors(answer) == ["event name cannot be longer than 100 bytes"]


def test_blanks_around_an_event_name_do_not_count(client: Client):
    assert client.track("a@example.com", "  " + "n" * 100 + " ").status == 200
    assert client.person("a@example.com")["events"][0]["name"] == "n" * 100


@pytest.mark.parametrize(("count", "status"), [(300, 200), (301, 400)])
def test_a_call_may_have_three_hundred_attributes(client: Client, count, status):
    assert client.identify("cj_1", **{f"a{n}": n for n in range(count)}).status == status


@pytest.mark.parametrize(("length", "status"), [(150, 200), (151, 400)])
def test_an_attribute_name_and_an_id_may_have_150_bytes(client: Client, length, status):
    assert client.identify("cj_1", **{"n" * length: 1}).status == status
    assert client.identify("i" * length).status == status


def test_attributes_beyond_300_of_a_person_are_ignored_and_logged(client: Client):
    client.identify("a@example.com", **{f"a{n}": n for n in range(300)})

    assert client.identify("a@example.com", one_more=1).status == 200
    assert "one_more" not in client.person("a@example.com")["attributes"]
    assert client.log() == ["Attribute beyond the limit per person ignored"]


@pytest.mark.parametrize(("length", "status"), [(99_990, 200), (99_991, 400)])
def test_event_data_may_have_a_hundred_thousand_bytes(client: Client, length, status):
    assert client.track("cj_1", data={"note": "x" * (length - 1)}).status == status


def test_a_body_id_other_than_the_path_is_refused(client: Client):
    answer = client.identify("cj_1", id="cj_2")

    assert errors(answer) == ["id attribute and identifier are not the same value"]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": " "},
        {"name": None},
        {"data": []},
        {"timestamp": "now"},
        {"timestamp": True},
        {"id": "no-ulid"},
        {"type": "x"},
    ],
)
def test_a_misshapen_event_is_refused(client: Client, fields):
    assert client.track("cj_1", **{"name": "order_new", **fields}).status == 400
    assert client.people() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(client: Client, body):
    assert client.call("PUT", "/api/v1/customers/cj_1", body).status == 400
    assert client.call("POST", "/api/v1/customers/cj_1/events", body).status == 400


def test_a_plus_in_an_encoded_address_stays_a_plus(client: Client):
    client.identify("a+b@example.com", gift_recipient=True)

    assert client.person("a+b@example.com")["attributes"] == {"gift_recipient": True}


def test_a_slash_in_an_encoded_id_does_not_split_the_path(client: Client):
    client.call("POST", f"/api/v1/customers/{quote('a/b', safe='')}/events", {"name": "order_new"})

    assert [person["id"] for person in client.people()] == ["a/b"]


def test_an_event_without_a_timestamp_happened_when_it_arrived(client: Client):
    client.track("a@example.com", id=ULID, data={"order_id": 9001})

    assert client.person("a@example.com")["events"] == [
        {
            "name": "order_new",
            "id": ULID,
            "timestamp": START,
            "data": {"order_id": 9001},
            "received_at": START * 1_000_000,
            "call": 1,
            "can_start_campaigns": True,
        }
    ]


def test_an_event_older_than_three_days_starts_no_campaigns(client: Client):
    client.track("a@example.com", timestamp=START - 72 * 3600 - 1)

    assert client.person("a@example.com")["events"][0]["can_start_campaigns"] is False


def test_a_timestamp_in_milliseconds_passes_and_is_logged(client: Client):
    client.identify("cj_1")

    assert client.track("cj_1", timestamp=START * 1000).status == 200
    assert client.log() == ["Event timestamp lies far in the future"]


def test_a_reserved_key_in_event_data_is_logged(client: Client):
    client.identify("cj_1")
    client.track("cj_1", data={"recipient": "x@example.com"})

    assert client.log() == ["Event data overrides campaign settings"]


def test_a_repeated_event_id_is_ignored_for_every_person(client: Client):
    client.track("a@example.com", id=ULID)

    assert client.track("b@example.com", id=ULID).status == 200
    assert [(person["email"], len(person["events"])) for person in client.people()] == [("a@example.com", 1)]
    assert client.log() == ["Event created a bare profile", "Duplicate event ignored"]


def test_a_lax_sandbox_accepts_any_event_id(client: Client):
    client.switch(event_ids="lax")
    client.identify("cj_1")

    assert client.track("cj_1", id="no-ulid").status == 200
    assert client.log() == ["Event id is not a ULID"]


@pytest.mark.parametrize(("switch", "status", "people"), [("create", 200, 1), ("drop", 200, 0), ("error", 400, 0)])
def test_the_switch_decides_on_an_event_for_an_unknown_person(client: Client, switch, status, people):
    client.switch(unknown_person=switch)

    assert client.track("cj_1").status == status
    assert len(client.people()) == people


def test_a_nested_attribute_is_refused_when_the_switch_says_so(client: Client):
    assert client.identify("cj_1", plan={"a": 1}).status == 200
    client.switch(nested_attributes="reject")
    assert client.identify("cj_1", plan={"a": 1}).status == 400


def test_anonymous_events_move_to_the_person_who_gets_their_anonymous_id(client: Client):
    client.call("POST", "/api/v1/events", {"name": "page_seen", "anonymous_id": "anon-1"})

    client.identify("a@example.com", anonymous_id="anon-1")

    assert [event["name"] for event in client.person("a@example.com")["events"]] == ["page_seen"]


def test_an_invite_event_makes_no_profile(client: Client):
    client.call("POST", "/api/v1/events", {"name": "invited", "data": {"recipient": "x@example.com"}})

    assert client.people() == []
    assert client.control("GET", "stats")["workspaces"]["site-1"]["invites"] == 1
