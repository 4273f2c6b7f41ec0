"""The sandbox's receiver of signed web hooks, asked by the reference library."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from sandbox.receiver.app import ADDRESS, Receiver, create_app

SECRET = "whsec_" + base64.b64encode(b"only for tests, and no secret.").decode()
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ALICE = {"customer_id": 7, "email": "alice@example.com"}


class Sender:
    """Signs messages and posts them."""

    def __init__(self) -> None:
        self.client = create_app(Receiver(SECRET, NOW.timestamp)).test_client()

    def send(self, kind, data, message_id="m1", secret=SECRET) -> int:
        body = json.dumps({"type": kind, "timestamp": "2026-03-02T11:59:00Z", "data": data})
        signature = Webhook(secret).sign(message_id, NOW, body)
        headers = {"webhook-id": message_id, "webhook-timestamp": str(int(NOW.timestamp()))}
        return self.client.post(ADDRESS, data=body, headers=headers | {"webhook-signature": signature}).status_code

    def event(self, person, message_id="e1", name="order_new") -> int:
        return self.send(f"event.{name}", {"person": person, "event": name, "properties": {"total": 3900}}, message_id)

    def profile(self, person, message_id="p1", **attributes) -> int:
        return self.send("profile.updated", {"person": person, "attributes": attributes}, message_id)

    def people(self):
        return self.client.get("/_sandbox/people").get_json()


@pytest.fixture
def sender():
    return Sender()


def test_a_signed_event_is_kept_with_its_person(sender):
    assert sender.event(ALICE) == 204

    [person] = sender.people()
    assert (person["id"], person["email"]) == ("7", "alice@example.com")
    assert [(one["name"], one["data"], one["id"]) for one in person["events"]] == [("order_new", {"total": 3900}, "e1")]


def test_what_another_secret_signs_is_refused(sender):
    other = "whsec_" + base64.b64encode(b"another secret of the receiver").decode()

    assert (sender.send("webhook.test", {}, secret=other), sender.people()) == (401, [])


def test_a_repeated_id_is_taken_once(sender):
    assert [sender.event(ALICE), sender.event(ALICE)] == [204, 204]

    assert len(sender.people()[0]["events"]) == 1


def test_attributes_are_merged_and_null_clears_one(sender):
    sender.profile(ALICE, "p1", plan="Small", boxes=1)
    sender.profile(ALICE, "p2", plan=None, boxes=2)

    assert sender.people()[0]["attributes"] == {"boxes": 2}


def test_a_person_known_by_address_becomes_a_customer(sender):
    sender.event({"email": "alice@example.com"}, "e1")
    sender.event(ALICE, "e2")

    assert [(one["id"], len(one["events"])) for one in sender.people()] == [("7", 2)]


def test_two_customers_with_one_address_are_two_people(sender):
    sender.event(ALICE, "e1")
    sender.event({"customer_id": 8, "email": "alice@example.com"}, "e2")

    assert [one["id"] for one in sender.people()] == ["7", "8"]


@pytest.mark.parametrize(("kind", "after"), [("person.delete", ["7"]), ("person.suppress", [])])
def test_a_deleted_person_may_come_back_and_a_suppressed_one_may_not(sender, kind, after):
    sender.event(ALICE, "e1")
    sender.send(kind, {"identifiers": [{"customer_id": 7}, {"email": "alice@example.com"}]}, "f1")
    gone = sender.people()
    sender.event(ALICE, "e2")

    assert (gone, [one["id"] for one in sender.people()]) == ([], after)


def test_a_body_that_is_no_message_is_refused(sender):
    assert sender.send("event.order_new", {"identifiers": []}) >= 400


def test_set_answers_come_first(sender):
    sender.client.post("/_sandbox/answers", json=[503])

    assert [sender.event(ALICE), sender.event(ALICE)] == [503, 204]


def test_a_test_message_is_answered_and_kept_nowhere(sender):
    assert (sender.send("webhook.test", {}), sender.people()) == (204, [])
