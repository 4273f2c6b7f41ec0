"""Events: one, many as a whole, what is counted once, and what starts an automation."""

from __future__ import annotations

import pytest

from tests.sandbox.klaviyo.api import bulk_events, event, event_attributes, pointers

ALICE = "alice@example.com"


def keys_of(api):
    return [one["id"] for person in api.people() for one in person["events"]]


def names_started(api):
    return [one["name"] for one in api.control("automations")]


def test_an_event_is_202_with_an_empty_body(api):
    answer = api.post("events", event())

    assert (answer.status_code, answer.data) == (202, b"")


def test_an_event_creates_and_updates_its_profile_in_passing(api):
    for plan in ("Small", "Large"):
        api.post("events", event(plan, who={"email": ALICE, "external_id": "cj_1", "properties": {"plan": plan}}))

    assert [(one["id"], one["email"], one["attributes"]) for one in api.people()] == [
        ("cj_1", ALICE, {"plan": "Large"})
    ]


def test_an_event_subscribes_no_person(api):
    api.post("events", event())

    assert api.control("stats")["subscribed"] == 0


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        ({}, 1),
        ({"time": "2026-01-01T00:00:00+00:00"}, 1),
        ({"metric": "Renewed"}, 2),
        ({"who": {"email": "bob@example.com"}}, 2),
        ({"unique_id": "2"}, 2),
    ],
)
def test_only_the_first_of_the_same_profile_metric_and_id_is_kept(api, second, kept):
    api.post("events", event())
    api.post("events", event(**second))

    assert len(keys_of(api)) == kept


@pytest.mark.parametrize(("second", "kept"), [("2026-03-02T16:46:40.900+00:00", 1), ("2026-03-02T16:46:41+00:00", 2)])
def test_without_an_id_two_of_one_second_are_one(api, second, kept):
    api.post("events", event(None))
    api.post("events", event(None, time=second))

    assert len(keys_of(api)) == kept


def test_a_time_is_truncated_to_the_second(api):
    api.post("events", event(time="2026-03-02T16:46:40.900+00:00"))

    assert [one["at"] for one in api.people()[0]["events"]] == [1_772_470_000]


def test_an_event_starts_an_automation_once_and_with_its_age(api):
    for _ in range(2):
        api.post("events", event(time="2026-03-02T16:45:40+00:00"))

    assert [(one["kind"], one["age_s"]) for one in api.control("automations")] == [("event", 60)]


def test_an_event_that_is_backfilled_starts_none(api):
    api.post("events", event(backfill=True))
    api.post("event-bulk-create-jobs", bulk_events(event_attributes("2", backfill=True)))

    assert (keys_of(api), names_started(api)) == (["1", "2"], [])


def test_identifiers_of_two_profiles_go_to_the_first_and_change_neither(api):
    api.import_profile(email=ALICE)
    api.import_profile(external_id="cj_1")
    api.post("events", event(who={"email": ALICE, "external_id": "cj_1"}))

    shown = [(one["id"], one["email"], len(one["events"])) for one in api.people()]
    assert shown == [("", ALICE, 0), ("cj_1", None, 1)]


def nested(levels):
    value = {}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    "changed",
    [
        {"properties": {str(number): 1 for number in range(400)}},
        {"properties": nested(10)},
        {"properties": {"list": [1] * 4_000}},
        {"properties": {"text": "x" * 100_000}},
        {"metric": "x" * 127},
        {"time": "1990-01-01T00:00:00+00:00"},
        {"time": "2027-03-01T00:00:00+00:00"},
        {"time": None},
        {"value": 39.5},
    ],
)
def test_an_event_at_a_limit_is_taken(api, changed):
    assert api.post("events", event(**changed)).status_code == 202


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"properties": None}, "properties"),
        ({"properties": {str(number): 1 for number in range(401)}}, "properties"),
        ({"properties": nested(11)}, "properties"),
        ({"properties": {"list": [1] * 4_001}}, "properties"),
        ({"properties": {"text": "x" * 100_001}}, "properties"),
        ({"metric": "x" * 128}, "metric"),
        ({"metric": ""}, "metric"),
        ({"time": "1989-12-31T23:59:59+00:00"}, "time"),
        ({"time": "2027-03-05T00:00:00+00:00"}, "time"),
        ({"time": "yesterday"}, "time"),
        ({"value": "39"}, "value"),
        ({"value": True}, "value"),
        ({"backfill": "yes"}, "backfill"),
        ({"unique_id": 1}, "unique_id"),
        ({"who": {"first_name": "Alice"}}, "profile/data/attributes"),
        ({"who": {"email": "alice"}}, "profile/data/attributes/email"),
        ({"who": {"phone_number": "5125550100"}}, "profile/data/attributes/phone_number"),
    ],
)
def test_an_event_over_a_limit_is_400_with_the_place(api, changed, place):
    answer = api.post("events", event(**changed))

    assert (answer.status_code, pointers(answer), api.people()) == (400, [f"/data/attributes/{place}"], [])


@pytest.mark.parametrize("who", ["phone_number", "external_id", "anonymous_id"])
def test_each_identifier_finds_the_same_profile_again(api, who):
    for unique_id in ("1", "2"):
        api.post("events", event(unique_id, who={who: "+15125550100"}))

    assert [len(one["events"]) for one in api.people()] == [2]


def test_a_profile_is_found_by_its_id(api):
    known = api.import_profile(email=ALICE).json["data"]["id"]
    document = event()
    document["data"]["attributes"]["profile"] = {"data": {"type": "profile", "id": known}}

    assert (api.post("events", document).status_code, keys_of(api)) == (202, ["1"])


def test_a_payload_over_5_mb_is_413(api):
    properties = {str(number): "x" * 90_000 for number in range(60)}

    assert api.post("events", event(properties=properties)).status_code == 413


def test_the_201st_metric_is_refused_and_a_known_one_is_not(api):
    for number in range(200):
        api.post("events", event(metric=f"metric {number}"))

    assert [api.post("events", event("2", metric=name)).status_code for name in ("metric 0", "another")] == [202, 400]


class TestBulkCalls:
    """Many in one call."""

    def post(self, api, *events):
        return api.post("event-bulk-create-jobs", bulk_events(*events))

    def test_a_bulk_call_is_202_and_takes_all(self, api):
        answer = self.post(api, *(event_attributes(str(number)) for number in range(3)))

        assert (answer.status_code, keys_of(api)) == (202, ["0", "1", "2"])

    def test_one_bad_event_refuses_all_and_is_pointed_at(self, api):
        answer = self.post(
            api, event_attributes("1"), event_attributes("2", value="x"), event_attributes("3", time="x")
        )

        place = "/data/attributes/events-bulk-create/data/{}/attributes/events/data/0/attributes/{}"
        assert (answer.status_code, keys_of(api)) == (400, [])
        assert pointers(answer) == [place.format(1, "value"), place.format(2, "time")]

    def test_an_id_that_is_there_twice_refuses_all(self, api):
        answer = self.post(api, event_attributes("1"), event_attributes("1"))

        assert (answer.status_code, keys_of(api)) == (400, [])

    def test_an_id_of_an_earlier_call_is_kept_once(self, api):
        statuses = [self.post(api, event_attributes("1")).status_code for _ in range(2)]

        assert (statuses, keys_of(api), len(names_started(api))) == ([202, 202], ["1"], 1)

    @pytest.mark.parametrize(("count", "status"), [(1_000, 202), (1_001, 400)])
    def test_a_thousand_events_are_the_limit(self, api, count, status):
        assert self.post(api, *(event_attributes(str(number)) for number in range(count))).status_code == status

    def test_more_than_5_mb_are_413(self, api):
        events = [event_attributes(str(number), properties={"text": "x" * 90_000}) for number in range(60)]

        assert (self.post(api, *events).status_code, api.people()) == (413, [])

    def test_more_new_metrics_than_there_may_be_refuse_all(self, api):
        answer = self.post(api, *(event_attributes(metric=f"metric {number}") for number in range(201)))

        assert (answer.status_code, keys_of(api)) == (400, [])

    @pytest.mark.parametrize("parts", [None, {}, {"data": []}, {"data": [1]}, {"data": [{"attributes": {}}]}])
    def test_a_document_without_events_is_400(self, api, parts):
        document = bulk_events()
        document["data"]["attributes"]["events-bulk-create"] = parts

        assert api.post("event-bulk-create-jobs", document).status_code == 400
