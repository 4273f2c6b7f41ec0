"""What else is kept of a member: how it is shown, and what shape it must have."""

from __future__ import annotations

import pytest

from tests.sandbox.mailchimp.conftest import ROBIN


def test_a_member_is_shown_with_empty_texts_for_what_is_not_set(call):
    shown = call.put(ROBIN).json

    assert shown["merge_fields"] == {"FNAME": "", "LNAME": "", "ADDRESS": "", "PHONE": "", "BIRTHDAY": ""}
    assert (shown["ip_signup"], shown["timestamp_opt"], shown["language"]) == ("", "", "")
    assert (shown["source"], shown["tags_count"], shown["list_id"]) == ("API - Generic", 0, call.world.audience.id)
    assert {"unique_email_id", "web_id", "member_rating", "stats", "location", "_links", "full_name"} <= set(shown)


def test_the_other_fields_of_a_member_are_kept(call):
    given = {"email_type": "text", "language": "en", "vip": True, "interests": {"a1": True}, "ip_signup": "192.0.2.1"}

    shown = call.put(ROBIN, location={"latitude": 1.5, "longitude": 2.5}, **given).json

    assert {name: shown[name] for name in given} == given
    assert shown["location"] == {"latitude": 1.5, "longitude": 2.5}


def test_times_are_shown_in_utc(call):
    shown = call.put(ROBIN, timestamp_signup="2026-11-14T23:13:20+01:00").json

    assert shown["timestamp_signup"] == "2026-11-14T22:13:20+00:00"


def test_the_full_name_is_made_of_both_names(call):
    assert call.put(ROBIN, merge_fields={"FNAME": "Robin", "LNAME": "Lee"}).json["full_name"] == "Robin Lee"


@pytest.mark.parametrize(
    "given",
    [
        {"ip_signup": "1.2.3"},
        {"ip_opt": 7},
        {"timestamp_opt": "yesterday"},
        {"email_type": "fax"},
        {"vip": "yes"},
        {"language": 1},
        {"location": []},
        {"interests": {"a1": "yes"}},
        {"merge_fields": []},
        {"marketing_permissions": {}},
    ],
)
def test_a_field_of_the_wrong_shape_is_named(call, given):
    answer = call.put(ROBIN, **given)

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, next(iter(given)))


def test_permissions_are_set_by_the_ids_that_a_member_shows(call):
    call.sandbox("POST", "/audiences", {"id": call.world.audience.id, "marketing_permissions": True})
    first = call.put(ROBIN).json["marketing_permissions"][0]["marketing_permission_id"]

    shown = call.put(ROBIN, marketing_permissions=[{"marketing_permission_id": first, "enabled": True}]).json

    assert [one["enabled"] for one in shown["marketing_permissions"]] == [True, False, False]


def test_an_unknown_permission_is_refused(call):
    permissions = [{"marketing_permission_id": "none", "enabled": True}]

    assert call.put(ROBIN, marketing_permissions=permissions).json["errors"][0]["field"] == "marketing_permissions"
    assert call.member("GET", ROBIN).status == 404
