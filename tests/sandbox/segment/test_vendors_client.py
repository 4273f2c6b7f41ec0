"""Segment's own Python client, as it is on the package index, against the sandbox."""

from __future__ import annotations

import pytest
from segment.analytics import Client

from sandbox.segment.app import World, create_app
from sandbox.serving import serving

KEY = "a-write-key"


@pytest.fixture
def world():
    return World(KEY)


@pytest.fixture
def host(world):
    with serving(create_app(world)) as url:
        yield url


@pytest.fixture
def client(host):
    return Client(KEY, host=host, sync_mode=True)


def people(world):
    return [one.as_json() for one in world.source.people]


def test_what_the_client_identifies_and_tracks_arrives(client, world):
    client.identify("cj_1", {"email": "alice@example.com", "plan": "Small"})
    client.track("cj_1", "Order Completed", {"revenue": 39.5})

    [found] = people(world)
    assert (found["id"], found["email"], found["attributes"]) == ("cj_1", "alice@example.com", {"plan": "Small"})
    assert [(one["name"], one["data"]) for one in found["events"]] == [("Order Completed", {"revenue": 39.5})]


def test_an_anonymous_person_becomes_the_user_who_is_identified_with_both_ids(client, world):
    client.track(anonymous_id="a1", event="Gift Received")
    client.identify("cj_1", {"email": "alice@example.com"}, anonymous_id="a1")

    assert [(one["id"], len(one["events"])) for one in people(world)] == [("cj_1", 1)]


def test_a_wrong_key_is_answered_with_success_and_nothing_is_kept(host, world):
    wrong = Client("another", host=host, sync_mode=True)
    wrong.track("cj_1", "Order Completed")

    assert (people(world), world.source.dropped["a wrong write key"]) == ([], 1)


def test_the_clients_compression_is_understood(host, world):
    compressing = Client(KEY, host=host, sync_mode=True, gzip=True)
    compressing.track("cj_1", "Order Completed")

    assert [one["id"] for one in people(world)] == ["cj_1"]
