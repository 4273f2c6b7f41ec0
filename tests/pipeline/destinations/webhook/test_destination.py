"""A signed web hook against a receiver that verifies with the reference library."""

from __future__ import annotations

import base64

import pytest

from pipeline.core.errors import BadCredentials, Misconfigured, Unreachable, WrongAddress
from pipeline.core.messages import ConnectionBroken, Rejected, RetryAfter, Sent
from pipeline.destinations.webhook import SignedWebhook
from pipeline.infra.http.client import public_http
from tests.contracts.messages import event, person, profile
from tests.contracts.webhook_kits import SECRET, WebhookKit, running_receiver

ALICE = person(1)
NEW_SECRET = "whsec_" + base64.b64encode(b"the secret that replaces the old").decode()


@pytest.fixture
def kit():
    with running_receiver() as receiver:
        yield WebhookKit(receiver)


@pytest.mark.parametrize("receivers", [SECRET, NEW_SECRET])
def test_while_a_secret_is_replaced_a_receiver_may_have_either(kit, receivers):
    kit.receiver.secret = receivers

    reply = kit.destination(secret=f"{NEW_SECRET} {SECRET}").send([event(1, ALICE)])

    assert reply.outcomes == (Sent(),)


def test_a_message_that_is_sent_again_is_taken_once(kit):
    kit.destination().send([event(1, ALICE), profile(2, ALICE)])
    kit.destination().send([event(1, ALICE), profile(2, ALICE)])

    assert len(kit.receiver.taken) == 2


def test_another_secret_is_the_same_account_and_another_address_is_not(kit):
    named = {field.key: field.names_account for field in SignedWebhook.fields}

    assert named == {"url": True, "secret": False}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Sent), (299, Sent), (301, ConnectionBroken), (400, Rejected), (401, ConnectionBroken),
        (404, ConnectionBroken), (408, RetryAfter), (410, ConnectionBroken), (413, Rejected), (422, Rejected),
        (425, RetryAfter), (429, RetryAfter), (500, RetryAfter), (501, RetryAfter), (504, RetryAfter),
    ],
)  # fmt: skip
def test_a_status_decides_what_becomes_of_a_message(kit, status, outcome):
    kit.answer_next(status)

    assert [type(one) for one in kit.destination().send([event(1, ALICE)]).outcomes] == [outcome]


@pytest.mark.parametrize(
    ("status", "error"), [(401, BadCredentials), (410, WrongAddress), (302, WrongAddress), (500, Unreachable)]
)
def test_a_check_says_what_is_wrong(kit, status, error):
    kit.answer_next(status)

    with pytest.raises(error):
        kit.destination().check()


def test_a_check_sends_nothing_that_a_receiver_would_take_as_an_event(kit):
    checked = kit.destination().check()

    assert kit.receiver.taken == {}
    assert checked.account == f"127.0.0.1:{kit.receiver.port}/hooks"  # its query may hold a key


@pytest.mark.parametrize(
    "url", ["http://example.com/hooks", "https://user:pw@example.com/", "https://example.com/#part", "example.com"]
)
def test_an_address_that_is_not_safe_is_refused_before_anything_is_sent(kit, url):
    with pytest.raises(Misconfigured, match="url must be"):
        kit.destination(url=url)


def test_a_secret_that_is_too_short_is_refused(kit):
    with pytest.raises(Misconfigured, match="secret"):
        kit.destination(secret="whsec_c2hvcnQ=")


def test_a_private_address_is_not_called(kit):
    destination = SignedWebhook(kit.config(), public_http)

    with pytest.raises(WrongAddress, match="not a public one"):
        destination.check()
    assert [type(one) for one in destination.send([event(1, ALICE)]).outcomes] == [RetryAfter]
