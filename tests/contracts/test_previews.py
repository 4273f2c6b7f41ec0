"""The request that is shown for a message, on every platform: of a profile and of an event, without any key."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from pipeline.destinations import preview_message
from tests.contracts.messages import event, person, profile
from tests.contracts.test_destinations import KITS


@pytest.fixture(params=KITS)
def kit(request):
    with KITS[request.param]() as kit:
        yield kit


def show(kit, message):
    return preview_message(kit.platform, message, kit.config)


@pytest.mark.parametrize("build", [profile, event])
def test_a_message_has_a_request_that_names_its_person_and_no_key(kit, build):
    message = build(1, person(1))

    request = show(kit, message)

    assert request is not None
    text = f"{request.url} {request.user} {request.headers} {request.body.decode()}"
    address = str(message.person.email)
    names = address, str(message.person.customer_id), hashlib.md5(address.encode()).hexdigest()  # noqa: S324 Mailchimp's
    assert any(name in text for name in names)
    secrets = [value for name, value in kit.config().items() if name in {"api_key", "write_key", "secret"}]
    assert [value for value in secrets if value in text] == []


def test_an_event_that_the_platform_refuses_has_none_or_says_what_would_be_sent(kit):
    message = kit.unacceptable(event(1, person(1)))

    request = show(kit, message)

    assert request is None or request.body


def test_a_person_without_an_address_and_an_id_has_none_anywhere(kit):
    message = event(1, person(1))
    unknown = replace(message, person=replace(message.person, customer_id=None, email=None))

    assert show(kit, unknown) is None
