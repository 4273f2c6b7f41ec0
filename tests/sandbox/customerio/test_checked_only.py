"""What is checked as documented, accepted and not held: devices, objects, relationships, metrics, segments, forms."""

import json

import pytest

from tests.sandbox.customerio.client import ULID, Client, person_item

DEVICE = {"id": "token-1", "platform": "ios"}
DEVICES = "/api/v1/customers/cj_1/devices"
OBJECT = {"object_type_id": "1", "object_id": "acme"}


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("PUT", DEVICES, {"device": DEVICE}),
        ("PUT", DEVICES, {"device": {**DEVICE, "last_used": 1700000000, "attributes": {"app_version": "1"}}}),
        ("DELETE", f"{DEVICES}/token-1", None),
        ("POST", "/api/v1/push/events", {"delivery_id": "d", "event": "opened", "device_id": "t", "timestamp": 1}),
        ("POST", "/api/v1/metrics", {"delivery_id": "d", "metric": "clicked"}),
        ("POST", "/api/v1/segments/7/add_customers", {"ids": ["cj_1"]}),
        ("POST", "/api/v1/segments/7/remove_customers", {"ids": ["cj_1"]}),
    ],
)
def test_a_documented_call_that_is_not_held_is_a_200(client: Client, method, path, content):
    answer = client.call(method, path, content)
    assert (answer.status, answer.body) == (200, b"{}\n")
    assert client.log() == ["Accepted but not held by the sandbox"]


def test_a_form_is_answered_without_a_body(client: Client):
    answer = client.call("POST", "/api/v1/forms/newsletter/submit", {"data": {"email": "robin@example.com"}})
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (DEVICES, {}),
        (DEVICES, {"device": {"platform": "ios"}}),
        (DEVICES, {"device": {"id": "t"}}),
        (DEVICES, {"device": {"id": "t", "platform": "abacus"}}),
        (DEVICES, {"device": {**DEVICE, "last_used": "today"}}),
        ("/api/v1/customers/%20/devices", {"device": DEVICE}),
    ],
)
def test_a_wrong_device_is_refused(client: Client, path, content):
    assert client.call("PUT", path, content).status == 400
    assert client.log() == []


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("push/events", {"event": "eaten"}),
        ("push/events", []),
        ("metrics", {"metric": "opened"}),
        ("metrics", {"delivery_id": "d", "metric": "eaten"}),
        ("segments/7/add_customers", {"ids": []}),
        ("segments/7/add_customers", {"ids": ["x"] * 1001}),
        ("segments/7/add_customers", {"ids": [7]}),
        ("forms/x/submit", {"data": {"name": "Robin"}}),
        ("forms/x/submit", {"data": {"email": "robin@example.com", "age": 7}}),
    ],
)
def test_a_wrong_report_is_refused(client: Client, path, content):
    assert client.call("POST", f"/api/v1/{path}", content).status == 400


def test_a_segments_members_have_one_of_three_kinds_of_id(client: Client):
    path = "/api/v1/segments/7/add_customers"
    assert client.call("POST", path, {"ids": ["robin@example.com"]}, id_type="email").status == 200
    assert client.call("POST", path, {"ids": ["x"]}, id_type="phone").status == 400


def test_the_calls_show_templates_without_tokens_and_names(client: Client):
    client.call("DELETE", f"{DEVICES}/secret-token")
    client.call("POST", "/api/v1/segments/7/add_customers", {"ids": ["cj_1"]})
    assert [call["path"] for call in client.control("GET", "calls")] == [
        "/api/v1/customers/{identifier}/devices/{device_id}",
        "/api/v1/segments/{segment_id}/add_customers",
    ]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "object", "action": "identify", "identifiers": OBJECT, "attributes": {"plan": "x"}},
        {"type": "object", "action": "delete", "identifiers": {"cio_object_id": "o1"}},
        {"type": "object", "action": "add_relationships", "identifiers": OBJECT,
         "cio_relationships": [{"identifiers": {"id": "cj_1"}}]},
        {"type": "delivery", "action": "event", "identifiers": {"id": "d"}, "name": "opened",
         "attributes": {"device_token": "t"}},
        person_item("add_device", {"id": "cj_1"}, device={"token": "t", "platform": "android"}),
        person_item("delete_device", {"id": "cj_1"}, device={"token": "t"}),
        person_item("add_relationships", {"id": "cj_1"}, cio_relationships=[{"identifiers": OBJECT}]),
    ],
)  # fmt: skip
def test_an_operation_that_is_not_held_is_accepted(client: Client, item):
    assert client.batch(item).status == 200
    assert client.log() == ["Accepted but not held by the sandbox"]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"type": "object"}, "identifiers"),
        ({"type": "object", "action": "paint", "identifiers": OBJECT}, "action"),
        ({"type": "object", "action": "delete", "identifiers": {"object_id": "acme"}}, "identifiers"),
        ({"type": "object", "action": "add_relationships", "identifiers": OBJECT}, "cio_relationships"),
        ({"type": "object", "action": "identify", "identifiers": OBJECT, "attributes": ["x"]}, "attributes"),
        ({"type": "delivery", "action": "event", "identifiers": {}, "name": "opened",
          "attributes": {"device_token": "t"}}, "identifiers.id"),
        ({"type": "delivery", "action": "event", "identifiers": {"id": "d"}, "name": "eaten",
          "attributes": {"device_token": "t"}}, "name"),
        (person_item("add_device", {"id": "cj_1"}), "device.token"),
        (person_item("add_device", {"id": "cj_1"}, device={"token": "t"}), "device.platform"),
        (person_item("delete_device", {"id": "cj_1"}, device={}), "device.token"),
        (person_item("add_relationships", {"id": "cj_1"}), "cio_relationships"),
        (person_item("delete_relationships", {"id": "cj_1"}, cio_relationships=["x"]), "cio_relationships"),
    ],
)  # fmt: skip
def test_a_wrong_operation_is_rejected_by_its_field(client: Client, item, field):
    answer = client.batch(item)
    assert answer.status == 207
    assert field in [error["field"] for error in json.loads(answer.body)["errors"]]


@pytest.mark.parametrize("event_id", [ULID, ULID.lower(), ULID[:10] + ULID[10:].lower()])
def test_a_ulid_may_have_small_letters(client: Client, event_id):
    assert client.track("cj_1", id=event_id).status == 200


@pytest.mark.parametrize("event_id", ["x" * 26, ULID[:-1], "8" + ULID[1:], ULID[:-1].lower() + "u"])
def test_what_is_no_ulid_is_refused(client: Client, event_id):
    assert client.track("cj_1", id=event_id).status == 400


NOT_JSON = [b'{"plan": NaN}', b'{"plan": Infinity}', b'{"plan": "\xff"}', b"\xef\xbb\xbf{}", b'{"a": ' + b"[" * 100_000]


@pytest.mark.parametrize("body", NOT_JSON)
def test_what_is_no_json_in_utf_8_is_refused_by_track_v1(client: Client, body):
    assert client.call("PUT", "/api/v1/customers/cj_1", body).status == 400
    assert client.people() == []


@pytest.mark.parametrize("path", ["/api/v2/entity", "/api/v2/batch"])
def test_what_is_no_json_is_refused_by_track_v2(client: Client, path):
    assert client.call("POST", path, b'{"batch": [], "x": NaN}').status == 400
