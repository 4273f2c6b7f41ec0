"""Merge fields: which there are, how one is made, changed and deleted, and how many there may be."""

from __future__ import annotations

import pytest

from tests.sandbox.mailchimp.conftest import ROBIN


def make(call, **body):
    return call("POST", f"{call.list}/merge-fields", {"name": "Boxes", "type": "number", **body})


def tags_of(call):
    return [one["tag"] for one in call("GET", f"{call.list}/merge-fields", count=1000).json["merge_fields"]]


def test_a_new_audience_has_the_usual_fields_and_email_is_not_among_them(call):
    assert tags_of(call) == ["FNAME", "LNAME", "ADDRESS", "PHONE", "BIRTHDAY"]


def test_the_answer_is_200_with_the_field(call, world):
    answer = make(call, tag="BOXES")

    assert answer.status == 200
    assert answer.json == {
        "merge_id": 6,
        "tag": "BOXES",
        "name": "Boxes",
        "type": "number",
        "required": False,
        "default_value": "",
        "public": False,
        "display_order": 7,
        "help_text": "",
        "options": {},
        "list_id": world.audience.id,
    }


def test_a_field_without_a_tag_gets_one(call):
    assert make(call).json["tag"] == "MMERGE6"


@pytest.mark.parametrize("missing", ["name", "type"])
def test_name_and_type_are_needed(call, missing):
    assert make(call, **{missing: ""}).json["errors"][0]["field"] == missing


@pytest.mark.parametrize("tag", ["ELEVENCHARS", "lower", "WITH-DASH", "EMAIL", "FNAME", 7])
def test_a_tag_that_is_long_or_taken_or_of_other_characters_is_refused(call, tag):
    answer = make(call, tag=tag)

    assert (answer.status, answer.json["title"], answer.json["errors"][0]["field"]) == (400, "Invalid Resource", "tag")


def test_a_tag_may_have_ten_characters(call):
    assert make(call, tag="TENCHARS_1").status == 200


@pytest.mark.parametrize(
    "given",
    [
        {"type": "boolean"},
        {"help_text": 1},
        {"required": "yes"},
        {"options": []},
        {"options": {"phone_format": "German"}},
        {"type": "dropdown"},
        {"type": "radio", "options": {"choices": []}},
        {"type": "radio", "options": {"choices": "red"}},
    ],
)
def test_a_field_of_the_wrong_shape_is_refused(call, given):
    assert make(call, **given).status == 400


@pytest.mark.parametrize(("switches", "room"), [({}, 25), ({"premium": True}, 75), ({"counts_email_field": True}, 24)])
def test_an_audience_has_at_most_thirty_fields_or_eighty(call, switches, room):
    call.sandbox("POST", "/switches", switches)

    statuses = [make(call).status for _ in range(room + 1)]

    assert statuses == [200] * room + [400]


def test_a_list_of_fields_has_ten_unless_more_are_asked_for(call):
    for _ in range(10):
        make(call)

    answer = call("GET", f"{call.list}/merge-fields").json

    assert (len(answer["merge_fields"]), answer["total_items"]) == (10, 15)


def test_a_field_can_be_changed(call):
    merge_id = make(call, tag="BOXES").json["merge_id"]
    call.put(ROBIN, merge_fields={"BOXES": 7})

    changed = call("PATCH", f"{call.list}/merge-fields/{merge_id}", {"name": "All boxes", "tag": "ALLBOXES"}).json

    assert (changed["name"], changed["tag"], changed["merge_id"]) == ("All boxes", "ALLBOXES", merge_id)
    assert call.member("GET", ROBIN).json["merge_fields"]["ALLBOXES"] == 7


def test_the_type_of_a_field_cannot_be_changed(call):
    merge_id = make(call, tag="BOXES").json["merge_id"]

    call("PATCH", f"{call.list}/merge-fields/{merge_id}", {"type": "text"})

    assert call("GET", f"{call.list}/merge-fields/{merge_id}").json["type"] == "number"


@pytest.mark.parametrize("given", [{"tag": "FNAME"}, {"options": 7}])
def test_a_bad_change_of_a_field_is_refused(call, given):
    merge_id = make(call, tag="BOXES").json["merge_id"]

    assert call("PATCH", f"{call.list}/merge-fields/{merge_id}", given).status == 400


def test_a_usual_field_can_be_deleted_and_takes_its_values_along(call):
    call.put(ROBIN, merge_fields={"FNAME": "Robin"})

    status = call("DELETE", f"{call.list}/merge-fields/1").status

    assert (status, "FNAME" in tags_of(call)) == (204, False)
    assert "FNAME" not in call.member("GET", ROBIN).json["merge_fields"]


def test_the_id_of_a_deleted_field_is_not_used_again(call):
    first = make(call).json["merge_id"]
    call("DELETE", f"{call.list}/merge-fields/{first}")

    assert make(call).json["merge_id"] == first + 1


def test_an_unknown_field_is_not_found(call):
    assert call("DELETE", f"{call.list}/merge-fields/99").status == 404


def test_a_field_that_the_merchant_deletes_loses_data_silently(call):
    call.sandbox("POST", "/actions", {"action": "delete_field", "tag": "FNAME"})

    answer = call.put(ROBIN, merge_fields={"FNAME": "Robin"})

    assert (answer.status, "FNAME" in answer.json["merge_fields"]) == (200, False)
