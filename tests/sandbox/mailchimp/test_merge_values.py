"""The values of merge fields: what each type takes, how it refuses, and what skipping the validation does."""

from __future__ import annotations

import pytest

from tests.sandbox.mailchimp.conftest import ROBIN

SKIP = {"skip_merge_validation": "true"}
HOME = {"addr1": "1 Sample St", "city": "Austin", "state": "TX", "zip": "78701", "country": "US"}
NO_SCHEMA = "Data did not match any of the schemas described in anyOf."
CHOICES = {"choices": ["red", "blue"]}


@pytest.fixture
def field(call):
    def make(kind, tag="FIELD", **more):
        options = {"options": CHOICES} if kind in ("radio", "dropdown") else {}
        assert call("POST", f"{call.list}/merge-fields", {"name": tag, "type": kind, "tag": tag, **options, **more})

    return make


def stored(call, tag="FIELD"):
    return call.member("GET", ROBIN).json["merge_fields"][tag]


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("text", "Monthly", "Monthly"),
        ("text", 7, "7"),
        ("number", 15.5, 15.5),
        ("number", "15.50", 15.5),
        ("number", "7", 7),
        ("number", -3, -3),
        ("date", "2026-12-14", "2026-12-14"),
        ("date", "2026/12/14", "2026-12-14"),
        ("date", "14-12-2026", "2026-12-14"),
        ("date", "12/14/2026", "2026-12-14"),
        ("birthday", "02/29", "02/29"),
        ("address", HOME, {**HOME, "addr2": ""}),
        ("phone", "+49 30 123", "+49 30 123"),
        ("zip", "78701", "78701"),
        ("url", "https://sample-shop.com/a", "https://sample-shop.com/a"),
        ("imageurl", "https://sample-shop.com/a.png", "https://sample-shop.com/a.png"),
        ("radio", "red", "red"),
        ("dropdown", "blue", "blue"),
    ],
)
def test_a_value_of_the_type_is_kept(call, field, kind, given, kept):
    field(kind)

    call.put(ROBIN, merge_fields={"FIELD": given})

    assert stored(call) == kept


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("number", "many", "Please enter a number"),
        ("number", "1e5", "Please enter a number"),
        ("date", "2026-13-01", "Please enter the date"),
        ("date", "2026-12-14T10:00:00Z", "Please enter the date"),
        ("date", 20261214, "Please enter the date"),
        ("birthday", "13/01", "Please enter a month (01-12) and a day (01-31)"),
        ("birthday", "2000-01-01", "Please enter a month (01-12) and a day (01-31)"),
        ("address", {"addr1": "1 Sample St"}, "Please enter a complete address"),
        ("address", {**HOME, "state": ""}, "Please enter a complete address"),
        ("address", "1 Sample St, Austin", "Please enter a complete address"),
        ("zip", "SW1A 1AA", "Please enter a zip code (5 digits)"),
        ("url", "sample-shop", "Please enter a valid URL"),
        ("imageurl", "none", "Please enter the URL of an image"),
        ("radio", "green", "Please enter one of the choices"),
        ("dropdown", "green", "Please enter one of the choices"),
    ],
)
def test_a_value_that_the_type_does_not_take_is_refused(call, field, kind, given, message):
    field(kind)

    answer = call.put(ROBIN, merge_fields={"FIELD": given})

    assert (answer.status, answer.json["title"]) == (400, "Invalid Resource")
    assert answer.json["detail"] == "Your merge fields were invalid."
    assert answer.json["errors"] == [{"field": "FIELD", "message": message}]


def test_a_text_is_cut_at_255_bytes(call, field):
    field("text")

    call.put(ROBIN, merge_fields={"FIELD": "ä" * 128})

    assert stored(call) == "ä" * 127


def test_an_absent_value_is_kept_and_an_empty_one_cleared(call):
    call.put(ROBIN, merge_fields={"FNAME": "Robin", "LNAME": "Lee"})
    call.put(ROBIN, merge_fields={"LNAME": ""})

    assert (stored(call, "FNAME"), stored(call, "LNAME")) == ("Robin", "")


def test_a_number_that_is_not_set_is_an_empty_text(call, field):
    field("number")
    call.put(ROBIN)

    assert stored(call) == ""


@pytest.mark.parametrize("query", [{}, SKIP])
@pytest.mark.parametrize("value", [None, True, ["a"], {"addr1": 7}, {"addr1": "1 Sample St"}])
def test_null_booleans_and_objects_are_refused_even_without_validation(call, value, query):
    answer = call.put(ROBIN, merge_fields={"FNAME": value}, query=query)

    assert answer.json["errors"] == [{"field": "merge_fields.FNAME", "message": NO_SCHEMA}]


def test_an_unknown_tag_is_ignored_next_to_a_bad_number(call, field):
    field("number")

    answer = call.put(ROBIN, merge_fields={"NONE": "x", "FIELD": "many"})

    assert [error["field"] for error in answer.json["errors"]] == ["FIELD"]


def test_an_unknown_tag_alone_is_no_error(call):
    assert call.put(ROBIN, merge_fields={"NONE": "x"}).status == 200


def test_a_switch_refuses_unknown_tags(call):
    call.sandbox("POST", "/switches", {"unknown_tags": "refused"})

    answer = call.put(ROBIN, merge_fields={"NONE": "x"}, query=SKIP)

    assert answer.json["errors"][0]["field"] == "merge_fields.NONE"


def test_a_required_field_that_is_missing_is_named(call, field):
    field("radio", required=True)

    answer = call.put(ROBIN)

    assert answer.json["errors"] == [{"field": "FIELD", "message": "Please enter a value"}]


def test_a_required_field_that_is_stored_need_not_be_sent(call, field):
    field("text", required=True)
    call.put(ROBIN, merge_fields={"FIELD": "x"})

    assert call.put(ROBIN).status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_skipping_the_validation_lifts_a_required_field(call, field, method):
    call.put(ROBIN)
    field("text", required=True)

    answer = call.member(method, ROBIN, {"email_address": ROBIN}, **SKIP)

    assert answer.status == 200


def test_skipping_the_validation_lifts_a_required_field_of_a_new_member(call, field):
    field("text", required=True)
    body = {"email_address": ROBIN, "status": "transactional"}

    statuses = [call("POST", f"{call.list}/members", body, **query).status for query in ({}, SKIP)]

    assert statuses == [400, 200]


def test_skipping_the_validation_stores_bad_values_too(call, field):
    field("number")
    call.put(ROBIN, merge_fields={"FIELD": "many"}, query=SKIP)

    assert stored(call) == "many"


def test_an_incomplete_stored_address_refuses_writes_that_do_not_mention_it(call):
    call.put(ROBIN, merge_fields={"ADDRESS": {"addr1": "1 Sample St"}}, query=SKIP)

    plain = call.put(ROBIN, merge_fields={"FNAME": "Robin"})
    skipping = call.put(ROBIN, merge_fields={"FNAME": "Robin"}, query=SKIP)

    assert plain.json["errors"] == [{"field": "ADDRESS", "message": "Please enter a complete address"}]
    assert skipping.status == 200


def test_another_stored_bad_value_refuses_nothing(call, field):
    field("number")
    call.put(ROBIN, merge_fields={"FIELD": "many"}, query=SKIP)

    assert call.put(ROBIN, merge_fields={"FNAME": "Robin"}).status == 200
