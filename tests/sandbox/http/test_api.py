from __future__ import annotations

import pytest

from sandbox.http.app import API, create_app
from sandbox.http.json_schema import find_faults
from sandbox.http.shape import Shape, find_value

KEY = "key"
HEADERS = {"Authorization": f"Bearer {KEY}"}
ALICE = {"email": "alice@example.com", "customer_id": 7}


@pytest.fixture
def client():
    return create_app(API(Shape.load("example"), KEY)).test_client()


def post(client, path, body, once="1", headers=HEADERS):
    return client.post(path, json=body, headers={**headers, "Idempotency-Key": once}).status_code


def event(client, once="1", **properties):
    body = {"person": ALICE, "name": "order_new", "time": "2026-03-02T16:46:40Z", "properties": properties}
    return post(client, "/v1/events", body, once)


def test_people_and_events_are_kept(client):
    assert post(client, "/v1/people", {**ALICE, "attributes": {"plan": "Tea"}}) == 202
    assert event(client, "2", total=1) == 202

    [person] = client.get("/_sandbox/people").get_json()
    assert (person["id"], person["attributes"]) == ("7", {"plan": "Tea"})
    assert person["events"] == [{"id": "2", "name": "order_new", "data": {"total": 1}}]


def test_a_call_is_taken_once_by_its_id(client):
    event(client)
    event(client)

    assert client.get("/_sandbox/stats").get_json()["events"] == 1


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/v1/people", {**ALICE, "attributes": {}}, {"Authorization": "Bearer other"}, 401),
        ("/v1/people", {**ALICE}, HEADERS, 422),
        ("/v1/people", {**ALICE, "attributes": {}, "more": 1}, HEADERS, 422),
        ("/v1/people", {**ALICE, "attributes": [], "email": 5}, HEADERS, 422),
        ("/v1/nothing", {}, HEADERS, 404),
    ],
)
def test_what_is_not_as_the_shape_says_is_refused(client, path, body, headers, status):
    assert post(client, path, body, headers=headers) == status
    assert client.get("/_sandbox/stats").get_json()["people"] == 0


def test_a_forgotten_person_is_gone(client):
    event(client)

    assert (
        post(client, "/v1/forget", {"mode": "delete", "emails": ["alice@example.com"], "customer_ids": []}, "9") == 202
    )
    assert client.get("/_sandbox/people").get_json() == []


def test_the_next_answers_can_be_set(client):
    client.post("/_sandbox/answers", json=[{"status": 429, "headers": {"Retry-After": 7}}])

    answer = client.get("/v1/account", headers=HEADERS)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert client.get("/v1/account", headers=HEADERS).status_code == 200


def test_everything_can_be_forgotten(client):
    event(client)
    client.post("/_sandbox/reset")

    assert client.get("/_sandbox/log").get_json() == []


@pytest.mark.parametrize(
    ("value", "schema", "fault"),
    [
        (1, {"type": "string"}, "must be string"),
        (True, {"type": "integer"}, "must be integer"),
        ("", {"minLength": 1}, "wrong length"),
        ("abc", {"maxLength": 2}, "wrong length"),
        ("abc", {"pattern": "^b"}, "wrong form"),
        ("abc", {"enum": ["b"]}, "one of"),
        ([], {"minItems": 1}, "too few"),
        ([1, "a"], {"items": {"type": "integer"}}, r"body\[1\]"),
        ({}, {"required": ["a"]}, "body.a is missing"),
        ({"b": 1}, {"additionalProperties": False}, "body.b is not known"),
    ],
)
def test_a_fault_is_named_with_its_place(value, schema, fault):
    assert any(fault.replace("\\", "") in one for one in find_faults(value, schema))


def test_a_schema_with_an_unknown_word_is_an_error():
    with pytest.raises(ValueError, match="oneOf"):
        list(find_faults(1, {"oneOf": []}))


@pytest.mark.parametrize(("path", "value"), [("a.0.b", 1), ("a.5.b", None), ("x", None), ("", None), ("a", [{"b": 1}])])
def test_a_dotted_path_leads_to_a_value(path, value):
    assert find_value({"a": [{"b": 1}]}, path) == value
