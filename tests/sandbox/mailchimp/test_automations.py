"""What would have sent mail or started automations, and what is quiet."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.mailchimp.conftest import ROBIN, key_of

GIFT = {"tags": [{"name": "Gift recipient", "status": "active"}]}


@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        ("transactional", []),
        ("unsubscribed", []),
        ("cleaned", []),
        ("subscribed", ["joined"]),
        ("pending", ["confirmation_mail"]),
    ],
)
def test_a_new_member_starts_something_if_subscribed_or_pending(call, status, kinds):
    call.put(ROBIN, status)

    assert call.started() == kinds


def test_a_repeated_upsert_starts_nothing_more(call):
    for _ in range(3):
        call.put(ROBIN, "subscribed")

    assert call.started() == ["joined"]


def test_pending_mails_once_for_identical_repeats(call):
    call.put(ROBIN)
    for _ in range(3):
        call.put(ROBIN, status="pending")

    assert call.started() == ["confirmation_mail"]


@pytest.mark.parametrize(("status", "kind"), [("subscribed", "joined"), ("unsubscribed", "status_changed")])
def test_a_change_of_status_is_noted(call, status, kind):
    call.put(ROBIN)
    call.member("PATCH", ROBIN, {"status": status})

    assert call.started() == [kind]


def test_a_member_who_returns_from_the_archive_joins(call):
    call.put(ROBIN)
    call.member("DELETE", ROBIN)
    call.put(ROBIN, status="subscribed")

    assert call.started() == ["joined"]


def test_a_person_who_confirms_joins(call):
    call.put(ROBIN, "pending")
    call.act("confirm", ROBIN)

    assert call.started() == ["confirmation_mail", "joined"]


@pytest.mark.parametrize(("path", "body", "kind"), [("/tags", GIFT, "tag_added"), ("/events", {"name": "ev"}, "event")])
def test_tags_and_events_start_something_unless_syncing(call, path, body, kind):
    call.put(ROBIN)
    call.member("POST", ROBIN, {**body, "is_syncing": True}, below=path)
    quiet = call.started()
    other = {"tags": [{"name": "Other", "status": "active"}]} if path == "/tags" else body
    call.member("POST", ROBIN, other, below=path)

    assert (quiet, call.started()) == ([], [kind])


def test_a_tag_that_is_there_starts_nothing(call):
    call.put(ROBIN)
    for _ in range(2):
        call.member("POST", ROBIN, GIFT, below="/tags")

    assert call.started() == ["tag_added"]


def test_a_tag_taken_away_starts_nothing(call):
    call.put(ROBIN)
    call.member("POST", ROBIN, {**GIFT, "is_syncing": True}, below="/tags")
    call.member("POST", ROBIN, {"tags": [{"name": "Gift recipient", "status": "inactive"}]}, below="/tags")

    assert call.started() == []


def test_an_event_says_how_long_ago_it_happened_and_about_whom(call):
    call.put(ROBIN)
    call.member("POST", ROBIN, {"name": "order_new", "occurred_at": "2026-11-14T22:46:40Z"}, below="/events")

    [entry] = call.sandbox("GET", "/automations")

    assert (entry["age_s"], entry["name"], entry["person"]) == (3600, "order_new", key_of(ROBIN))


def test_a_refused_call_starts_nothing(call):
    call.put(ROBIN, "subscribed", merge_fields={"FNAME": None})

    assert call.started() == []


def test_a_batch_starts_what_its_operations_start(call):
    body = json.dumps({"email_address": ROBIN, "status_if_new": "subscribed"})
    path = f"{call.list}/members/{key_of(ROBIN)}"
    batch = call("POST", "/batches", {"operations": [{"method": "PUT", "path": path, "body": body}]}).json
    before = call.started()
    for _ in range(4):
        call("GET", f"/batches/{batch['id']}")

    assert (before, call.started()) == ([], ["joined"])


def test_the_figures_count_by_kind_and_the_contacts_that_are_charged(call):
    for number, status in enumerate(("subscribed", "unsubscribed", "transactional", "pending", "cleaned")):
        call.put(f"p{number}@sample-shop.com", status)
    call.put(ROBIN)
    call.member("DELETE", ROBIN)

    stats = call.sandbox("GET", "/stats")

    assert (stats["automations"], stats["billed"]) == ({"joined": 1, "confirmation_mail": 1}, 3)


def test_an_address_in_two_audiences_is_charged_twice(call):
    other = call.sandbox("POST", "/audiences", {"name": "Other"})["audience"]
    call.put(ROBIN)
    call("PUT", f"/lists/{other}/members/{key_of(ROBIN)}", {"email_address": ROBIN, "status": "transactional"})

    assert call.sandbox("GET", "/stats")["billed"] == 2
