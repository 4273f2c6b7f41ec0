import json

import pytest

from tests.sandbox.customerio.client import OTHER_ULID, START, ULID, Client, person_item


def errors(answer):
    return json.loads(answer.body)["errors"]


def test_a_batch_identifies_and_tracks(client: Client):
    answer = client.batch(
        person_item("identify", {"id": "cj_1"}, attributes={"email": "a@example.com", "boxes_shipped": 7}),
        person_item(
            "event", {"email": "a@example.com"}, name="order_new", id=ULID, timestamp=START, attributes={"n": 1}
        ),
    )

    assert (answer.status, answer.body) == (200, b"{}\n")
    person = client.person("a@example.com")
    assert person["attributes"] == {"boxes_shipped": 7}
    assert [(event["name"], event["data"]) for event in person["events"]] == [("order_new", {"n": 1})]


def test_a_batch_with_a_bad_item_answers_207_and_keeps_the_others(client: Client):
    answer = client.batch(
        person_item("identify", {"id": "cj_1"}, attributes={}),
        person_item("identify", {"id": "cj_2"}, attributes={"plan": "x" * 1001}),
    )

    assert answer.status == 207
    assert errors(answer) == [
        {
            "batch_index": 1,
            "reason": "invalid",
            "field": "attributes.plan",
            "message": "property value cannot be longer than 1000 bytes",
        }
    ]
    assert [person["id"] for person in client.people()] == ["cj_1"]


@pytest.mark.parametrize(
    "item",
    [
        "text",
        {"type": "nothing"},
        person_item("identify", {}),
        person_item("identify", {"id": "1", "email": "a@example.com"}),
        person_item("identify", {"id": "1"}, attributes=[1]),
        person_item("identify", {"id": "1"}, attributes={"id": "2"}),
        person_item("identify", {"id": "1"}, timestamp="now"),
        person_item("dance", {"id": "1"}),
        person_item("event", {"id": "1"}),
        person_item("event", {"id": "1"}, name="x", id="no-ulid"),
        person_item("event", {"id": "1"}, name="x", attributes=[]) | {"attributes": "text"},
        {"type": "person", "action": "merge", "primary": {"id": "1"}},
        person_item("event", {"id": "1"}, name="x", attributes={"note": "x" * 32_000}),
    ],
)
def test_a_misshapen_item_is_rejected_alone(client: Client, item):
    answer = client.batch(item, person_item("identify", {"id": "good"}))

    assert answer.status == 207
    assert {error["batch_index"] for error in errors(answer)} == {0}
    assert [person["id"] for person in client.people()] == ["good"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"batch":{}}'])
def test_a_batch_that_is_none_is_refused_whole(client: Client, body):
    answer = client.call("POST", "/api/v2/batch", body)

    assert answer.status == 400
    assert set(errors(answer)[0]) == {"reason", "field", "message"}


@pytest.mark.parametrize("status", [400, 413])
def test_a_batch_beyond_500_kb_is_refused_whole(client: Client, status):
    client.switch(oversize_status=status)
    items = [person_item("event", {"id": str(n)}, name="x", attributes={"note": "x" * 31_000}) for n in range(17)]

    assert client.batch(*items).status == status
    assert client.batch(*items[:15]).status == 200


def test_an_entity_may_have_32_kb(client: Client):
    def entity(length):
        item = person_item("event", {"id": "cj_1"}, name="x", attributes={"note": ""})
        item["attributes"]["note"] = "x" * (length - len(json.dumps(item)))
        return client.call("POST", "/api/v2/entity", item)

    assert entity(32_000).status == 200
    assert entity(32_001).status == 400


def test_an_invalid_entity_is_refused_without_a_position(client: Client):
    answer = client.call("POST", "/api/v2/entity", person_item("event", {"id": "cj_1"}))

    assert answer.status == 400
    assert errors(answer) == [{"reason": "invalid", "field": "name", "message": "event name cannot be empty"}]


def test_the_vendors_id_comes_with_or_without_its_prefix(client: Client):
    client.identify("cj_1")
    cio_id = client.people()[0]["cio_id"]

    client.batch(
        person_item("identify", {"cio_id": cio_id}, attributes={"a": 1}),
        person_item("identify", {"cio_id": f"cio_{cio_id}"}, attributes={"b": 2}),
    )

    assert client.people()[0]["attributes"] == {"a": 1, "b": 2}


def test_a_batch_deletes_suppresses_and_merges(client: Client):
    client.batch(*(person_item("identify", {"id": name}) for name in "abcd"))

    client.batch(
        person_item("delete", {"id": "a"}),
        person_item("suppress", {"id": "b"}),
        person_item("identify", {"id": "b"}),
        {"type": "person", "action": "merge", "primary": {"id": "c"}, "secondary": {"id": "d"}},
    )

    assert [person["id"] for person in client.people()] == ["c"]
    assert client.log() == ["Suppressed"]


def test_objects_and_devices_are_accepted_and_logged(client: Client):
    answer = client.batch(
        {"type": "object", "action": "identify", "identifiers": {"object_type_id": "1", "object_id": "2"}},
        person_item("add_device", {"id": "cj_1"}, device={"token": "t", "platform": "ios"}),
    )

    assert answer.status == 200
    assert client.log() == ["Accepted but not held by the sandbox"] * 2


def test_an_event_for_no_one_is_rejected_when_the_switch_says_so(client: Client):
    client.switch(unknown_person="error")

    answer = client.batch(person_item("event", {"id": "cj_1"}, name="order_new", id=OTHER_ULID))

    assert [error["message"] for error in errors(answer)] == ["person does not exist"]


def test_the_call_log_shows_who_came_in_which_call(client: Client):
    client.identify("cj_1", email="a@example.com")
    client.batch(
        person_item("event", {"id": "cj_1"}, name="order_new"),
        person_item("event", {"id": "cj_1"}, name=""),
    )

    first, second = client.control("GET", "calls")
    cio_id = client.people()[0]["cio_id"]
    assert first["path"] == "/api/v1/customers/{identifier}"
    assert first["items"] == [
        {"person": "id:cj_1", "action": "identify", "name": None, "cio_id": cio_id, "accepted": True}
    ]
    assert (second["status"], second["item_count"]) == (207, 2)
    assert [(item["name"], item["accepted"]) for item in second["items"]] == [("order_new", True), (None, False)]
