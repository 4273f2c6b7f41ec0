"""Subscriptions, suppressions and deletions."""

from __future__ import annotations

import pytest

from tests.sandbox.klaviyo.api import NOW, consent, event, job, pointers, profile, profiles_job

ALICE, BOB = "alice@example.com", "bob@example.com"


def subscribe(api, *profiles, **attributes):
    document = profiles_job("profile-subscription-bulk-create-job", *profiles, **attributes)
    return api.post("profile-subscription-bulk-create-jobs", document)


def unsubscribe(api, *profiles):
    document = profiles_job("profile-subscription-bulk-delete-job", *profiles)
    return api.post("profile-subscription-bulk-delete-jobs", document)


def suppress(api, *emails):
    profiles = [{"email": email} for email in emails]
    document = profiles_job("profile-suppression-bulk-create-job", *profiles)
    return api.post("profile-suppression-bulk-create-jobs", document)


def delete(api, **named):
    attributes = {name: value for name, value in named.items() if name != "id"}
    data = {"type": "profile", "attributes": attributes, **{name: named[name] for name in named if name == "id"}}
    document = job("data-privacy-deletion-job", profile={"data": data})
    return api.post("data-privacy-deletion-jobs", document)


def counts(api):
    stats = api.control("stats")
    return {name: stats[name] for name in ("people", "subscribed", "suppressed")}


def test_a_subscription_is_202_and_starts_an_automation_once(api):
    statuses = [subscribe(api, consent(ALICE)).status_code for _ in range(2)]

    assert (statuses, counts(api)["subscribed"]) == ([202, 202], 1)
    assert [one["kind"] for one in api.control("automations")] == ["subscription"]


def test_a_historical_import_subscribes_and_starts_none(api):
    subscribe(api, consent(ALICE, consented_at=NOW), historical_import=True)

    assert (counts(api)["subscribed"], api.control("automations")) == (1, [])


def test_a_historical_import_without_the_time_of_consent_is_400(api):
    answer = subscribe(api, consent(ALICE), historical_import=True)

    assert (answer.status_code, api.people()) == (400, [])


def test_a_subscription_lifts_a_suppression(api):
    suppress(api, ALICE)
    subscribe(api, consent(ALICE))

    assert counts(api) == {"people": 1, "subscribed": 1, "suppressed": 0}


@pytest.mark.parametrize(
    "one",
    [
        {"email": ALICE},
        {"email": ALICE, "subscriptions": {"email": {"marketing": {"consent": "UNSUBSCRIBED"}}}},
        {"subscriptions": {"email": {"marketing": {"consent": "SUBSCRIBED"}}}},
    ],
)
def test_a_profile_without_consent_or_address_is_400(api, one):
    assert (subscribe(api, one).status_code, api.people()) == (400, [])


@pytest.mark.parametrize(("count", "status"), [(0, 400), (1_000, 202), (1_001, 400)])
def test_a_thousand_subscriptions_are_the_limit(api, count, status):
    assert subscribe(api, *(consent(f"{number}@example.com") for number in range(count))).status_code == status


def test_unsubscribing_ends_a_subscription_and_adds_no_person(api):
    subscribe(api, consent(ALICE))
    answer = unsubscribe(api, consent(ALICE, consent="UNSUBSCRIBED"), consent(BOB, consent="UNSUBSCRIBED"))

    assert (answer.status_code, counts(api)) == (202, {"people": 1, "subscribed": 0, "suppressed": 0})


def test_unsubscribing_with_another_consent_is_400_and_changes_nothing(api):
    subscribe(api, consent(ALICE))

    assert (unsubscribe(api, consent(ALICE)).status_code, counts(api)["subscribed"]) == (400, 1)


def test_suppressing_adds_the_profiles_that_are_missing(api):
    api.import_profile(email=ALICE)
    suppress(api, ALICE, BOB)

    assert counts(api) == {"people": 2, "subscribed": 0, "suppressed": 2}


@pytest.mark.parametrize(("count", "status"), [(0, 400), (100, 202), (101, 400)])
def test_a_hundred_suppressions_are_the_limit(api, count, status):
    assert suppress(api, *(f"{number}@example.com" for number in range(count))).status_code == status


@pytest.mark.parametrize("kind", ["id", "email", "phone_number"])
def test_a_deletion_deletes_who_is_named(api, kind):
    alice = api.import_profile(email=ALICE, phone_number="+15125550100").json["data"]["id"]
    api.import_profile(email=BOB)
    named = {"id": alice, "email": ALICE, "phone_number": "+15125550100"}

    assert delete(api, **{kind: named[kind]}).status_code == 202
    assert [one["email"] for one in api.people()] == [BOB]


def test_a_deletion_of_an_unknown_person_is_accepted(api):
    assert delete(api, email=ALICE).status_code == 202


@pytest.mark.parametrize("named", [{}, {"email": ALICE, "phone_number": "+15125550100"}, {"external_id": "cj_1"}])
def test_a_deletion_needs_exactly_one_identifier(api, named):
    answer = delete(api, **named)

    assert (answer.status_code, pointers(answer)) == (400, ["/data/attributes/profile"])


def test_a_deleted_person_can_come_back(api):
    api.import_profile(email=ALICE)
    delete(api, email=ALICE)

    assert api.post("profiles", profile(email=ALICE)).status_code == 201


def test_what_is_accepted_can_wait(api):
    api.control("switches", {"is_holding": True})
    answers = [api.post("events", event()), subscribe(api, consent(ALICE)), delete(api, email=BOB)]
    before = api.people()

    assert ([one.status_code for one in answers], before) == ([202, 202, 202], [])
    assert (api.control("process", {}), len(api.people())) == ({"done": 3}, 1)
