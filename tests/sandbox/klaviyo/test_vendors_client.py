"""Klaviyo's own Python client, as it is on the package index, against the sandbox."""

from __future__ import annotations

import pytest
from klaviyo_api import KlaviyoAPI
from openapi_client.exceptions import ApiException

from sandbox.klaviyo.app import World, create_app
from sandbox.serving import serving

KEY = "pk_a_key"
NOW_S = 1_772_470_000.0
NOW = "2026-03-02T16:46:40+00:00"


@pytest.fixture
def world():
    return World(KEY, now=lambda: NOW_S)


@pytest.fixture
def host(world):
    with serving(create_app(world)) as url:
        yield url


@pytest.fixture
def client(host):
    return KlaviyoAPI(KEY, max_retries=0, test_host=host)


def import_profile(client, **attributes):
    return client.Profiles.create_or_update_profile({"data": {"type": "profile", "attributes": attributes}})


def describe_event(unique_id="1", metric="Placed Order", email="alice@example.com", **changed):
    attributes = {
        "metric": {"data": {"type": "metric", "attributes": {"name": metric}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": email}}},
        "properties": {"plan": "Small"},
        "time": NOW,
        "unique_id": unique_id,
        **changed,
    }
    return {"data": {"type": "event", "attributes": attributes}}


def people(world):
    return [one.as_person() for one in world.account.profiles.all.values()]


def test_the_client_reads_back_what_it_imported(client):
    import_profile(client, external_id="cj_1", email="Alice@example.com", properties={"plan": "Small"})

    found = client.Profiles.get_profiles(filter='equals(external_id,"cj_1")')
    [profile] = found.data
    assert (profile.attributes.email, profile.attributes.properties) == ("alice@example.com", {"plan": "Small"})


def test_an_import_updates_what_is_there_and_null_clears(client, world):
    import_profile(client, email="alice@example.com", properties={"plan": "Small", "boxes": 1})
    import_profile(client, email="alice@example.com", external_id="cj_1", properties={"plan": None})

    assert [(one["id"], one["attributes"]) for one in people(world)] == [("cj_1", {"boxes": 1})]


def test_creating_a_profile_that_is_there_is_a_conflict_that_names_it(client, world):
    import_profile(client, email="alice@example.com")

    with pytest.raises(ApiException) as caught:
        client.Profiles.create_profile({"data": {"type": "profile", "attributes": {"email": "alice@example.com"}}})

    assert caught.value.status == 409
    assert people(world)[0]["cio_id"] in str(caught.value.body)


def test_an_event_with_the_same_id_is_kept_once_and_starts_one_flow(client, world):
    for _ in range(2):
        client.Events.create_event(describe_event())
    client.Events.create_event(describe_event("2"))

    [person] = people(world)
    assert [one["id"] for one in person["events"]] == ["1", "2"]
    assert [one["name"] for one in world.account.events.automations] == ["Placed Order", "Placed Order"]


def test_an_event_that_is_backfilled_starts_no_flow(client, world):
    client.Events.create_event(describe_event(backfill=True))

    assert (len(people(world)), world.account.events.automations) == (1, [])


def test_a_subscription_is_counted_and_a_historical_one_is_not(client, world):
    for email, is_old in (("alice@example.com", False), ("bob@example.com", True)):
        consent = {"email": {"marketing": {"consent": "SUBSCRIBED", "consented_at": NOW if is_old else None}}}
        profile = {"type": "profile", "attributes": {"email": email, "subscriptions": consent}}
        job = {"profiles": {"data": [profile]}, "historical_import": is_old}
        client.Profiles.bulk_subscribe_profiles(
            {"data": {"type": "profile-subscription-bulk-create-job", "attributes": job}}
        )

    assert [one["kind"] for one in world.account.events.automations] == ["subscription"]


def test_merging_moves_what_the_other_profile_has(client, world):
    for email in ("old@example.com", "new@example.com"):
        client.Events.create_event(describe_event(email=email))
    old, new = (one["cio_id"] for one in people(world))

    sources = {"profiles": {"data": [{"type": "profile", "id": old}]}}
    client.Profiles.merge_profiles({"data": {"type": "profile-merge", "id": new, "relationships": sources}})

    assert [(one["email"], len(one["events"])) for one in people(world)] == [("new@example.com", 2)]


def test_a_deletion_job_deletes_one_person(client, world):
    for email in ("alice@example.com", "bob@example.com"):
        import_profile(client, email=email)

    profile = {"data": {"type": "profile", "attributes": {"email": "alice@example.com"}}}
    client.Data_Privacy.request_profile_deletion(
        {"data": {"type": "data-privacy-deletion-job", "attributes": {"profile": profile}}}
    )

    assert [one["email"] for one in people(world)] == ["bob@example.com"]


def test_a_wrong_key_is_refused(host):
    with pytest.raises(ApiException) as caught:
        KlaviyoAPI("pk_another", max_retries=0, test_host=host).Accounts.get_accounts()

    assert caught.value.status == 401


def test_a_throttled_client_retries_after_the_time_that_it_is_given(client, world):
    world.faults.add({"mode": "429", "retry_after": 0, "n": 2})

    assert len(client.Accounts.get_accounts().data) == 1
    assert world.statuses == {"429": 2, "200": 1}


def test_one_bad_event_of_a_bulk_call_refuses_all_and_is_named(client, world):
    entries = []
    for metric in ("Placed Order", "x" * 128):
        attributes = describe_event(metric=metric)["data"]["attributes"]
        profile = attributes.pop("profile")
        events = {"data": [{"type": "event", "attributes": attributes}]}
        entries.append({"type": "event-bulk-create", "attributes": {"profile": profile, "events": events}})
    job = {"type": "event-bulk-create-job", "attributes": {"events-bulk-create": {"data": entries}}}

    with pytest.raises(ApiException) as caught:
        client.Events.bulk_create_events({"data": job})

    assert caught.value.status == 400
    assert "/data/attributes/events-bulk-create/data/1/" in str(caught.value.body)
    assert people(world) == []


def test_a_bulk_import_is_read_until_it_is_complete(client, world):
    profiles = {"data": [{"type": "profile", "attributes": {"email": one}} for one in ("x", "alice@example.com")]}
    job = {"data": {"type": "profile-bulk-import-job", "attributes": {"profiles": profiles}}}
    job_id = client.Profiles.bulk_import_profiles(job).data.id

    states = [client.Profiles.get_bulk_import_profiles_job(job_id).data.attributes.status for _ in range(3)]
    [failure] = client.Profiles.get_errors_for_bulk_import_profiles_job(job_id).data
    assert states == ["queued", "processing", "complete"]
    assert failure.attributes.source.pointer == "/data/attributes/profiles/data/0/attributes/email"
    assert [one["email"] for one in people(world)] == ["alice@example.com"]


def test_the_client_updates_a_profile_by_its_id(client, world):
    known = import_profile(client, email="alice@example.com").data.id
    client.Profiles.update_profile(
        known, {"data": {"type": "profile", "id": known, "attributes": {"first_name": "Alice"}}}
    )

    assert [one["attributes"] for one in people(world)] == [{"first_name": "Alice"}]


def test_the_client_unsubscribes_and_suppresses(client, world):
    profile = {"type": "profile", "attributes": {"email": "alice@example.com"}}
    ended = {"email": {"marketing": {"consent": "UNSUBSCRIBED"}}}
    leaver = {"type": "profile", "attributes": {"email": "alice@example.com", "subscriptions": ended}}
    end = {"type": "profile-subscription-bulk-delete-job", "attributes": {"profiles": {"data": [leaver]}}}
    stop = {"type": "profile-suppression-bulk-create-job", "attributes": {"profiles": {"data": [profile]}}}
    client.Profiles.bulk_suppress_profiles({"data": stop})
    client.Profiles.bulk_unsubscribe_profiles({"data": end})

    [alice] = world.account.profiles.all.values()
    assert (alice.is_suppressed, alice.is_subscribed) == (True, False)
