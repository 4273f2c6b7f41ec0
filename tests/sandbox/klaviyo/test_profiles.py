"""Profiles: create, import, update, merge, and many as a job."""

from __future__ import annotations

import pytest

from tests.sandbox.klaviyo.api import event, pointers, profile, profiles_job

ALICE = "alice@example.com"


def test_an_import_is_201_for_a_new_profile_and_200_for_one_that_is_there(api):
    answers = [api.import_profile(email=ALICE) for _ in range(2)]

    assert [one.status_code for one in answers] == [201, 200]
    assert answers[0].json["data"]["id"] == answers[1].json["data"]["id"]


def test_null_clears_and_what_is_absent_stays(api):
    api.import_profile(email=ALICE, first_name="Alice", last_name="Ames", properties={"plan": "Small", "boxes": 1})
    answer = api.import_profile(email=ALICE, first_name=None, properties={"plan": None})

    attributes = answer.json["data"]["attributes"]
    assert [attributes["first_name"], attributes["last_name"]] == [None, "Ames"]
    assert attributes["properties"] == {"boxes": 1}


@pytest.mark.parametrize(("append", "kept"), [("Yearly", ["Monthly", "Yearly"]), (["a", "b"], ["Monthly", "a", "b"])])
def test_a_patch_appends_to_a_property(api, append, kept):
    api.import_profile(email=ALICE, properties={"plans": "Monthly"})
    answer = api.import_profile({"patch_properties": {"append": {"plans": append}}}, email=ALICE)

    assert answer.json["data"]["attributes"]["properties"] == {"plans": kept}


@pytest.mark.parametrize("unset", ["skip_me", ["skip_me"]])
def test_a_patch_unsets_a_property(api, unset):
    api.import_profile(email=ALICE, properties={"skip_me": 1, "boxes": 1})
    answer = api.import_profile({"patch_properties": {"unset": unset}}, email=ALICE)

    assert answer.json["data"]["attributes"]["properties"] == {"boxes": 1}


@pytest.mark.parametrize("patch", [{"append": ["a"]}, {"unset": 1}, {"unappend": {"a": 1}}])
def test_a_patch_that_is_none_changes_nothing(api, patch):
    answer = api.import_profile({"patch_properties": patch}, email=ALICE)

    assert (answer.status_code, api.people()) == (400, [])


def test_creating_a_profile_is_201(api):
    assert api.post("profiles", profile(email=ALICE)).status_code == 201


def test_creating_a_profile_that_is_there_is_409_with_its_id(api):
    known = api.import_profile(email=ALICE).json["data"]["id"]
    answer = api.post("profiles", profile(email=ALICE.upper()))

    assert [answer.status_code, answer.json["errors"][0]["meta"]] == [409, {"duplicate_profile_id": known}]


def test_an_import_whose_identifiers_belong_to_two_is_409(api):
    api.import_profile(email=ALICE)
    api.import_profile(external_id="cj_1")

    assert api.import_profile(email=ALICE, external_id="cj_1").status_code == 409


def test_a_profile_is_read_and_updated_by_its_id(api):
    known = api.import_profile(email=ALICE).json["data"]["id"]
    document = {"data": {"type": "profile", "id": known, "attributes": {"first_name": "Alice"}}}
    api.call("PATCH", f"profiles/{known}", document)

    assert api.get(f"profiles/{known}").json["data"]["attributes"]["first_name"] == "Alice"


def test_an_update_with_the_address_of_another_is_409(api):
    api.import_profile(email="bob@example.com")
    known = api.import_profile(email=ALICE).json["data"]["id"]
    document = {"data": {"type": "profile", "id": known, "attributes": {"email": "bob@example.com"}}}

    assert api.call("PATCH", f"profiles/{known}", document).status_code == 409


def test_a_profile_that_there_is_not_is_404(api):
    assert api.get("profiles/01AA").status_code == 404


def test_a_new_address_takes_the_place_of_the_old_one(api):
    api.import_profile(external_id="cj_1", email=ALICE)
    api.import_profile(external_id="cj_1", email="new@example.com")

    found = [api.get(f'profiles?filter=equals(email,"{email}")').json["data"] for email in (ALICE, "new@example.com")]
    assert [len(one) for one in found] == [0, 1]


@pytest.mark.parametrize(
    ("attributes", "place"),
    [
        ({}, ""),
        ({"first_name": "Alice"}, ""),
        ({"email": "alice"}, "/email"),
        ({"email": 1}, "/email"),
        ({"phone_number": "512 555 0100"}, "/phone_number"),
        ({"external_id": "x" * 256}, "/external_id"),
        ({"id": "01AA", "email": ALICE}, "/id"),
        ({"email": ALICE, "properties": [1]}, "/properties"),
        ({"email": ALICE, "location": "Austin"}, "/location"),
    ],
)
def test_a_bad_profile_is_400_with_the_place(api, attributes, place):
    answer = api.import_profile(**attributes)

    assert (answer.status_code, pointers(answer), api.people()) == (400, [f"/data/attributes{place}"], [])


@pytest.mark.parametrize("attributes", [{"external_id": "x" * 255}, {"phone_number": "+15125550100"}])
def test_identifiers_at_their_limits_are_taken(api, attributes):
    assert api.import_profile(**attributes).status_code == 201


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"data": []}', b'{"data": {"type": "event"}}'])
def test_a_body_that_is_no_profile_document_is_400(api, body):
    assert api.post("profile-import", body).status_code == 400


def test_a_profile_over_100_kb_is_413(api):
    assert api.import_profile(email=ALICE, properties={"text": "x" * 100_000}).status_code == 413


class TestMerging:
    """One profile into another."""

    def merge(self, api, target, *sources):
        related = {"profiles": {"data": [{"type": "profile", "id": one} for one in sources]}}
        return api.post("profile-merge", {"data": {"type": "profile-merge", "id": target, "relationships": related}})

    def ids(self, api, *people):
        return [api.import_profile(**one).json["data"]["id"] for one in people]

    def test_the_target_keeps_its_own_and_takes_what_it_lacks(self, api):
        target, source = self.ids(
            api, {"email": ALICE, "properties": {"a": 1}}, {"external_id": "cj_1", "properties": {"a": 2, "b": 2}}
        )

        assert self.merge(api, target, source).status_code == 201
        assert [(one["id"], one["email"], one["attributes"]) for one in api.people()] == [
            ("cj_1", ALICE, {"a": 1, "b": 2})
        ]

    def test_an_identifier_of_the_source_finds_the_target(self, api):
        target, source = self.ids(api, {"email": ALICE}, {"external_id": "cj_1"})
        self.merge(api, target, source)

        assert api.import_profile(external_id="cj_1").json["data"]["id"] == target

    def test_an_event_of_the_source_is_known_as_the_targets(self, api):
        api.post("events", event(who={"external_id": "cj_1"}))
        [source] = [one["cio_id"] for one in api.people()]
        self.merge(api, *self.ids(api, {"email": ALICE}), source)
        api.post("events", event())

        assert [len(one["events"]) for one in api.people()] == [1]

    def test_two_sources_are_400(self, api):
        ids = self.ids(api, {"email": ALICE}, {"email": "b@example.com"}, {"email": "c@example.com"})

        assert self.merge(api, *ids).status_code == 400

    def test_a_source_that_there_is_not_is_404(self, api):
        assert self.merge(api, *self.ids(api, {"email": ALICE}), "01AA").status_code == 404

    def test_a_profile_is_not_merged_into_itself(self, api):
        [known] = self.ids(api, {"email": ALICE})

        assert (self.merge(api, known, known).status_code, len(api.people())) == (400, 1)


class TestBulkImports:
    """Accepted, and done later."""

    def start(self, api, *profiles):
        return api.post("profile-bulk-import-jobs", profiles_job("profile-bulk-import-job", *profiles))

    def test_a_job_is_202_and_goes_from_queued_to_complete(self, api):
        started = self.start(api, {"email": ALICE})
        path = f"profile-bulk-import-jobs/{started.json['data']['id']}"
        states = [api.get(path).json["data"]["attributes"]["status"] for _ in range(4)]

        assert (started.status_code, states) == (202, ["queued", "processing", "complete", "complete"])

    def test_its_profiles_are_not_there_before_it_is_complete(self, api):
        path = f"profile-bulk-import-jobs/{self.start(api, {'email': ALICE}).json['data']['id']}"
        counts = []
        for _ in range(3):
            counts.append(len(api.people()))
            api.get(path)

        assert counts == [0, 0, 1]

    def test_a_bad_profile_is_counted_and_described_and_the_others_are_there(self, api):
        path = f"profile-bulk-import-jobs/{self.start(api, {'email': 'x'}, {'email': ALICE}).json['data']['id']}"
        api.control("process", {})
        attributes = api.get(path).json["data"]["attributes"]
        [failure] = api.get(f"{path}/import-errors").json["data"]

        assert [attributes[f"{name}_count"] for name in ("total", "completed", "failed")] == [2, 1, 1]
        assert failure["attributes"]["source"] == {"pointer": "/data/attributes/profiles/data/0/attributes/email"}
        assert failure["attributes"]["original_payload"] == {"email": "x"}

    def test_a_profile_over_100_kb_fails_alone(self, api):
        self.start(api, {"email": "big@example.com", "properties": {"text": "x" * 100_000}}, {"email": ALICE})
        api.control("process", {})

        assert [one["email"] for one in api.people()] == [ALICE]

    def test_more_than_10000_profiles_are_400(self, api):
        assert self.start(api, *({"email": ALICE} for _ in range(10_001))).status_code == 400

    def test_more_than_5_mb_are_413(self, api):
        profiles = [{"email": f"{n}@example.com", "properties": {"text": "x" * 90_000}} for n in range(60)]

        assert self.start(api, *profiles).status_code == 413

    def test_a_job_that_there_is_not_is_404(self, api):
        assert api.get("profile-bulk-import-jobs/none").status_code == 404
