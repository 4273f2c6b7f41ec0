"""Members: their key, the upsert, statuses, archiving, and erasing for good."""

from __future__ import annotations

import pytest

from sandbox.mailchimp.addresses import hash_address
from tests.sandbox.mailchimp.conftest import ROBIN, key_of

SEE_ERRORS = "The resource submitted could not be validated. For field-specific details, see the 'errors' array."


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("robin@example.com", "d3c17ef52c397921a87c1de66f2311c2"),
        ("Robin.Lee+box@Example.com", "36f9728493bef75f668c9d3fb395f53a"),
        (" robin@example.com ", "d3c17ef52c397921a87c1de66f2311c2"),
    ],
)
def test_the_key_is_the_md5_of_the_lower_cased_address(address, key):
    assert hash_address(address) == key


def test_an_upper_case_hash_is_accepted(call):
    call.put(ROBIN)

    assert call("GET", f"{call.list}/members/{key_of(ROBIN).upper()}").status == 200


def test_the_address_and_the_contact_id_name_a_member_too(call):
    contact_id = call.put(ROBIN).json["contact_id"]

    assert [call("GET", f"{call.list}/members/{key}").status for key in (ROBIN, contact_id)] == [200, 200]


def test_tags_and_erasing_take_the_hash_alone(call):
    contact_id = call.put(ROBIN).json["contact_id"]
    tags = {"tags": [{"name": "Gift", "status": "active"}]}

    statuses = [
        call("POST", f"{call.list}/members/{key}/{path}", tags).status
        for key in (ROBIN, contact_id)
        for path in ("tags", "actions/delete-permanent")
    ]

    assert statuses == [404] * 4


def test_put_makes_a_member_with_the_status_for_new_ones(call):
    answer = call.put(ROBIN)

    assert (answer.status, answer.json["id"], answer.json["status"]) == (200, key_of(ROBIN), "transactional")


def test_put_answers_an_update_with_200_too(call):
    call.put(ROBIN)

    assert call.put(ROBIN).status == 200


def test_put_takes_status_for_a_new_member(call):
    body = {"email_address": ROBIN, "status": "subscribed"}

    assert call.member("PUT", ROBIN, body).json["status"] == "subscribed"


def test_put_of_a_new_member_without_any_status_is_refused(call):
    answer = call.member("PUT", ROBIN, {"email_address": ROBIN})

    assert (answer.status, answer.json["title"]) == (400, "Invalid Resource")


def test_every_put_needs_the_address(call):
    call.put(ROBIN)

    answer = call.member("PUT", ROBIN, {"status_if_new": "transactional"})

    assert answer.json["detail"] == SEE_ERRORS
    assert answer.json["errors"] == [{"field": "email_address", "message": "This value should not be blank."}]


@pytest.mark.parametrize("action", ["unsubscribe", "bounce"])
def test_who_exists_keeps_their_status_and_gets_the_data(call, action):
    call.put(ROBIN, "subscribed")
    call.act(action, ROBIN)
    before = call.status_of(ROBIN)

    after = call.put(ROBIN, "subscribed", merge_fields={"FNAME": "Robin"}).json

    assert (after["status"], after["merge_fields"]["FNAME"]) == (before, "Robin")


def test_status_overwrites(call):
    call.put(ROBIN)

    assert call.put(ROBIN, status="subscribed").json["status"] == "subscribed"


def test_status_can_undo_an_opt_out_that_a_call_made(call):
    call.put(ROBIN, "subscribed")
    call.member("PATCH", ROBIN, {"status": "unsubscribed"})

    assert call.put(ROBIN, status="subscribed").status == 200


def test_a_switch_refuses_to_undo_an_opt_out_that_a_call_made(call):
    call.sandbox("POST", "/switches", {"resubscribe": False})
    call.put(ROBIN, "subscribed")
    call.member("PATCH", ROBIN, {"status": "unsubscribed"})

    assert call.put(ROBIN, status="subscribed").json["title"] == "Member In Compliance State"


def test_an_archived_member_stays_archived_and_gets_the_data(call):
    call.put(ROBIN)
    call.member("DELETE", ROBIN)

    after = call.put(ROBIN, merge_fields={"FNAME": "Robin"})

    assert (after.status, after.json["status"], after.json["merge_fields"]["FNAME"]) == (200, "archived", "Robin")


def test_a_switch_brings_an_archived_member_back(call):
    call.sandbox("POST", "/switches", {"put_on_archived": "returns"})
    call.put(ROBIN)
    call.member("DELETE", ROBIN)

    assert call.put(ROBIN).json["status"] == "transactional"


def test_status_brings_an_archived_member_back(call):
    call.put(ROBIN, "subscribed")
    call.member("DELETE", ROBIN)

    assert call.put(ROBIN, status="transactional").json["status"] == "transactional"


@pytest.mark.parametrize("status", ["archived", "deleted", "", None, 1])
def test_no_other_status_can_be_written(call, status):
    answer = call.put(ROBIN, status=status)

    assert answer.json["errors"][0]["field"] == "status"


def test_patch_does_not_take_transactional(call):
    call.put(ROBIN)

    assert call.member("PATCH", ROBIN, {"status": "transactional"}).json["errors"][0]["field"] == "status"


def test_the_known_hash_with_another_address_changes_the_address(call):
    before = call.put(ROBIN, "subscribed").json

    after = call.member("PUT", ROBIN, {"email_address": "new@sample-shop.com"}).json

    assert (after["id"], after["contact_id"]) == (key_of("new@sample-shop.com"), before["contact_id"])
    assert call.member("GET", ROBIN).status == 404


def test_an_unknown_hash_with_an_address_that_is_there_is_refused_although_it_is_a_put(call):
    call.put(ROBIN)

    answer = call.member("PUT", "new@sample-shop.com", {"email_address": ROBIN, "status_if_new": "transactional"})

    assert (answer.status, answer.json["title"]) == (400, "Member Exists")


def test_the_same_address_in_other_letters_is_the_same_member(call):
    call.put(ROBIN)
    call.put(ROBIN.upper())

    assert call("GET", f"{call.list}/members").json["total_items"] == 1


def test_tags_of_a_put_have_no_effect(call):
    assert call.put(ROBIN, tags=["Gift"]).json["tags"] == []


def test_tags_of_a_post_are_taken(call):
    body = {"email_address": ROBIN, "status": "transactional", "tags": ["Gift"]}

    assert [tag["name"] for tag in call("POST", f"{call.list}/members", body).json["tags"]] == ["Gift"]


def test_post_of_who_exists_is_refused(call):
    call.put(ROBIN)

    answer = call("POST", f"{call.list}/members", {"email_address": ROBIN, "status": "subscribed"})

    assert (answer.status, answer.json["title"]) == (400, "Member Exists")
    assert answer.json["detail"] == f"{ROBIN} is already a list member. Use PUT to insert or update list members."


def test_post_needs_a_status(call):
    answer = call("POST", f"{call.list}/members", {"email_address": ROBIN, "status_if_new": "subscribed"})

    assert answer.json["errors"][0]["field"] == "status"


def test_an_unknown_member_is_not_found(call):
    statuses = [call.member(method, ROBIN, {}).status for method in ("GET", "PATCH", "DELETE")]

    assert statuses == [404, 404, 404]


def test_patch_changes_only_what_it_names(call):
    call.put(ROBIN, merge_fields={"FNAME": "Robin", "LNAME": "Lee"})

    shown = call.member("PATCH", ROBIN, {"merge_fields": {"FNAME": "Rob"}}).json

    assert (shown["merge_fields"]["FNAME"], shown["merge_fields"]["LNAME"], shown["status"]) == (
        "Rob",
        "Lee",
        "transactional",
    )


def test_delete_archives_and_the_member_can_still_be_read(call):
    call.put(ROBIN)

    answer = call.member("DELETE", ROBIN)

    assert (answer.status, call.status_of(ROBIN)) == (204, "archived")


@pytest.mark.parametrize("status", ["archived", "pending", "cleaned"])
def test_who_is_archived_pending_or_cleaned_cannot_be_archived(call, status):
    call.put(ROBIN, "transactional" if status == "archived" else status)
    if status == "archived":
        call.member("DELETE", ROBIN)

    answer = call.member("DELETE", ROBIN)

    assert (answer.status, answer.json["title"], answer.headers["Allow"]) == (405, "Method Not Allowed", "GET, PUT")
    assert answer.json["detail"].startswith("This list member cannot be removed.")


def test_members_can_be_listed_by_status(call):
    call.put(ROBIN, "subscribed")
    call.put("other@sample-shop.com")

    found = call("GET", f"{call.list}/members", status="subscribed").json["members"]

    assert [one["email_address"] for one in found] == [ROBIN]


def test_members_can_be_listed_by_when_they_changed(call):
    call.put("other@sample-shop.com")
    call.sandbox("POST", "/clock", {"advance_s": 60})
    call.put(ROBIN)

    since = call.member("GET", "other@sample-shop.com").json["last_changed"]
    found = call("GET", f"{call.list}/members", since_last_changed=since).json["members"]

    assert [one["email_address"] for one in found] == [ROBIN]


def test_who_does_not_confirm_for_sixty_days_is_dropped(call):
    call.put(ROBIN, "pending")
    call.sandbox("POST", "/clock", {"advance_s": 59 * 86_400})
    call.put(ROBIN, merge_fields={"FNAME": "Robin"})
    call.sandbox("POST", "/clock", {"advance_s": 2 * 86_400})

    assert call.member("GET", ROBIN).status == 404
