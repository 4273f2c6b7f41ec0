"""Many profiles in a row go to Mailchimp in one batch, which it works through by itself."""

from __future__ import annotations

import pytest

from pipeline.core.messages import Rejected, RetryAfter, Sent
from pipeline.destinations.mailchimp import batches
from sandbox.mailchimp.addresses import hash_address
from tests.contracts.mailchimp_kits import running_mailchimp
from tests.contracts.messages import person, profile


@pytest.fixture
def kit():
    with running_mailchimp() as kit:
        yield kit


@pytest.fixture
def is_quick(monkeypatch):
    """Look at a batch at once, and give up soon."""
    monkeypatch.setattr(batches, "FIRST_POLL_S", 0.001)
    monkeypatch.setattr(batches, "LAST_POLL_S", 0.001)
    monkeypatch.setattr(batches, "MAX_WAIT_S", 0.02)


def member(kit, who):
    return kit.world.audience.find_address(str(who.email))


@pytest.mark.usefixtures("is_quick")
def test_many_profiles_go_in_one_batch(kit):
    reply = kit.destination().send([profile(n, person(n), has_profile=False) for n in range(100, 160)])

    assert set(reply.outcomes) == {Sent()}
    assert len(kit.world.audience.members) == 61
    assert [call.endpoint for call in reply.calls] == ["/batches", *["/batches/:id"] * 4]


@pytest.mark.usefixtures("is_quick")
def test_a_batch_in_which_one_is_refused_is_sent_one_by_one(kit):
    kit.world.audience.forgotten.add(hash_address(str(person(120).email)))

    reply = kit.destination().send([profile(n, person(n), has_profile=False) for n in range(100, 160)])

    refused = [(n, one.reason) for n, one in enumerate(reply.outcomes, 100) if isinstance(one, Rejected)]
    assert refused == [(120, "permanently_deleted")]


@pytest.mark.usefixtures("is_quick")
def test_a_batch_that_takes_long_is_asked_for_again_and_not_sent_again(kit):
    kit.world.faults.add({"mode": "batch-stuck"})
    messages = [profile(n, person(n), has_profile=False) for n in range(100, 160)]
    first = kit.destination().send(messages)
    for batch in kit.world.batches.values():
        batch.fault = None

    second = kit.destination().send(messages)

    assert {type(one) for one in first.outcomes} == {RetryAfter}
    assert set(second.outcomes) == {Sent()}
    assert len(kit.world.batches) == 1


@pytest.mark.usefixtures("is_quick")
def test_a_persons_two_profiles_are_not_in_one_batch(kit):
    messages = [profile(n, person(n), has_profile=False) for n in range(100, 160)]
    kit.destination().send([*messages, profile(200, person(100), country="US")])

    assert member(kit, person(100)).merge["COUNTRY"] == "US"
