"""`POST /lists/{id}`: several members in one call."""

from __future__ import annotations

import pytest

from tests.sandbox.mailchimp.conftest import ROBIN

NEW = "new@sample-shop.com"


def write(call, *members, query=None, **more):
    return call("POST", call.list, {"members": list(members), **more}, **(query or {}))


def person(address=ROBIN, status="transactional", **more):
    return {"email_address": address, "status": status, **more}


def test_new_members_are_created(call):
    answer = write(call, person(), person(NEW))

    assert answer.status == 200
    assert [one["email_address"] for one in answer.json["new_members"]] == [ROBIN, NEW]
    assert [answer.json[name] for name in ("total_created", "total_updated", "error_count")] == [2, 0, 0]


def test_who_exists_is_an_error_unless_they_may_be_updated(call):
    call.put(ROBIN)

    answer = write(call, person(), person(NEW))

    assert (answer.status, answer.json["total_created"]) == (200, 1)
    [error] = answer.json["errors"]
    assert (error["email_address"], error["error_code"]) == (ROBIN, "ERROR_CONTACT_EXISTS")


def test_the_status_of_who_exists_is_overwritten(call):
    call.put(ROBIN, "subscribed")

    write(call, person(status="unsubscribed"), update_existing=True)

    assert call.status_of(ROBIN) == "unsubscribed"


def test_who_opted_out_is_an_error_and_stays(call):
    call.put(ROBIN, "subscribed")
    call.act("unsubscribe", ROBIN)

    answer = write(call, person(status="subscribed"), update_existing=True)

    assert [error["error_code"] for error in answer.json["errors"]] == ["ERROR_GENERIC"]


def test_an_erased_address_is_an_error(call):
    call.put(ROBIN)
    call.member("POST", ROBIN, below="/actions/delete-permanent")

    [error] = write(call, person()).json["errors"]

    assert (error["error_code"], error["email_address"]) == ("ERROR_GENERIC", ROBIN)
    assert "was permanently deleted" in error["error"]


def test_an_archived_address_counts_as_created(call):
    call.put(ROBIN)
    call.member("DELETE", ROBIN)

    assert write(call, person()).json["total_created"] == 1
    assert call.status_of(ROBIN) == "transactional"


def test_an_error_names_the_field(call):
    call("POST", f"{call.list}/merge-fields", {"name": "Boxes", "type": "number", "tag": "BOXES"})

    [error] = write(call, person(merge_fields={"BOXES": "many"})).json["errors"]

    assert (error["field"], error["field_message"]) == ("BOXES", "Please enter a number")


def test_the_validation_of_merge_fields_can_be_skipped(call):
    call("POST", f"{call.list}/merge-fields", {"name": "Must", "type": "text", "tag": "MUST", "required": True})

    counts = [
        write(call, person(), query=query).json["error_count"] for query in ({}, {"skip_merge_validation": "true"})
    ]

    assert counts == [1, 0]


@pytest.mark.parametrize("wrong", [7, {}, {"email_address": ROBIN}, {"email_address": "x", "status": "subscribed"}])
def test_a_wrong_entry_is_an_error_and_the_others_are_written(call, wrong):
    answer = write(call, wrong, person(NEW))

    assert (answer.json["error_count"], answer.json["total_created"]) == (1, 1)


def test_the_same_address_twice_is_an_error(call):
    answer = write(call, person(), person(ROBIN.upper()))

    assert (answer.json["total_created"], answer.json["error_count"]) == (1, 1)


def test_the_same_address_twice_can_be_left_out(call):
    answer = write(call, person(), person(), query={"skip_duplicate_check": "true"})

    assert (answer.json["total_created"], answer.json["error_count"]) == (1, 0)


@pytest.mark.parametrize(("is_synced", "tags"), [(False, ["Old", "New"]), (True, ["New"])])
def test_tags_are_added_or_replace_all(call, is_synced, tags):
    write(call, person(tags=["Old"]))

    write(call, person(tags=["New"]), update_existing=True, sync_tags=is_synced)

    assert [one["name"] for one in call.member("GET", ROBIN, below="/tags").json["tags"]] == tags


def test_at_most_five_hundred_members_are_taken(call):
    members = [person(f"p{number}@sample-shop.com") for number in range(501)]

    assert (write(call, *members).status, write(call, *members[:500]).status) == (400, 200)


@pytest.mark.parametrize("members", [None, [], {}])
def test_members_are_a_list(call, members):
    assert call("POST", call.list, {"members": members}).json["errors"][0]["field"] == "members"
