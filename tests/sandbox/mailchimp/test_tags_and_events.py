"""Tags and events of a member."""

from __future__ import annotations

import pytest

from tests.sandbox.mailchimp.conftest import ROBIN

GIFT = {"name": "Gift recipient", "status": "active"}


def tag(call, *tags, **more):
    return call.member("POST", ROBIN, {"tags": list(tags), **more}, below="/tags")


def tags_of(call):
    return [one["name"] for one in call.member("GET", ROBIN, below="/tags").json["tags"]]


def send(call, **more):
    return call.member("POST", ROBIN, {"name": "order_new", **more}, below="/events")


def events_of(call, **query):
    return call.member("GET", ROBIN, below="/events", **query).json["events"]


def test_an_active_tag_is_made_and_given(call):
    call.put(ROBIN)

    answer = tag(call, GIFT)

    assert (answer.status, answer.json, tags_of(call)) == (204, "", ["Gift recipient"])


def test_an_inactive_tag_is_taken_away_and_others_stay(call):
    call.put(ROBIN)
    tag(call, GIFT, {"name": "VIP", "status": "active"})
    tag(call, {**GIFT, "status": "inactive"})

    assert tags_of(call) == ["VIP"]


def test_no_tags_change_nothing(call):
    call.put(ROBIN)
    tag(call, GIFT)

    assert (tag(call).status, tags_of(call)) == (204, ["Gift recipient"])


def test_a_body_without_tags_does_nothing_and_is_only_in_the_log(call):
    call.put(ROBIN)

    answer = call.member("POST", ROBIN, GIFT, below="/tags")

    assert (answer.status, tags_of(call)) == (204, [])
    assert any(entry.get("warning") for entry in call.sandbox("GET", "/log"))


@pytest.mark.parametrize("wrong", ["Gift", {"name": "Gift"}, {"name": "", "status": "active"}, {"status": "active"}])
def test_a_tag_of_the_wrong_shape_is_refused(call, wrong):
    call.put(ROBIN)

    assert tag(call, GIFT, wrong).status == 400
    assert tags_of(call) == []


def test_tags_that_are_no_list_are_refused(call):
    call.put(ROBIN)

    assert call.member("POST", ROBIN, {"tags": "Gift"}, below="/tags").json["errors"][0]["field"] == "tags"


def test_tags_have_an_id_and_a_date(call):
    call.put(ROBIN)
    tag(call, GIFT)

    [shown] = call.member("GET", ROBIN, below="/tags").json["tags"]

    assert set(shown) == {"id", "name", "date_added"}
    assert call.member("GET", ROBIN).json["tags"] == [{"id": shown["id"], "name": "Gift recipient"}]


def test_a_member_shows_the_first_fifty_tags(call):
    call.put(ROBIN)
    tag(call, *({"name": f"Tag {number}", "status": "active"} for number in range(60)))

    shown = call.member("GET", ROBIN).json

    assert (len(shown["tags"]), shown["tags_count"]) == (50, 60)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/tags", "/events"])
def test_tags_and_events_of_an_unknown_member_are_not_found(call, method, path):
    answer = call.member(method, ROBIN, {"name": "order_new", "tags": []} if method == "POST" else None, below=path)

    assert (answer.status, answer.json["title"]) == (404, "Resource Not Found")
    assert answer.json["detail"] == "The requested resource could not be found."


def test_tags_of_an_archived_member_can_be_taken_away(call):
    call.put(ROBIN)
    tag(call, GIFT)
    call.member("DELETE", ROBIN)

    assert (tag(call, {**GIFT, "status": "inactive"}).status, tags_of(call)) == (204, [])


def test_an_event_is_stored_and_has_no_id(call):
    call.put(ROBIN)

    answer = send(call, occurred_at="2026-11-14T22:13:20+00:00", properties={"total": "39.00"})

    assert (answer.status, answer.json) == (204, "")
    assert events_of(call) == [
        {"occurred_at": "2026-11-14T22:13:20+00:00", "name": "order_new", "properties": {"total": "39.00"}}
    ]


def test_the_same_event_twice_is_two_events(call):
    call.put(ROBIN)
    for _ in range(2):
        send(call, occurred_at="2026-11-14T22:13:20Z", properties={"cj_event_id": "evt_1"})

    assert len(events_of(call)) == 2


def test_events_are_shown_with_the_newest_first(call):
    call.put(ROBIN)
    for day in (14, 16, 15):
        send(call, occurred_at=f"2026-11-{day}T00:00:00Z")

    assert [one["occurred_at"][8:10] for one in events_of(call)] == ["16", "15", "14"]


def test_an_event_without_a_time_is_of_now(call):
    call.put(ROBIN)
    send(call)

    assert events_of(call)[0]["occurred_at"] == "2026-11-14T23:46:40+00:00"


def test_ten_events_are_shown_unless_more_are_asked_for(call):
    call.put(ROBIN)
    for _ in range(12):
        send(call)

    assert (len(events_of(call)), len(events_of(call, count=1000))) == (10, 12)


@pytest.mark.parametrize("name", ["x", "x" * 31, "", None, 7])
def test_the_name_of_an_event_has_two_to_thirty_characters(call, name):
    call.put(ROBIN)

    answer = send(call, name=name)

    assert (answer.status, answer.json["title"], answer.json["errors"][0]["field"]) == (400, "Invalid Resource", "name")


@pytest.mark.parametrize("name", ["xy", "x" * 30, "Order new!"])
def test_other_names_are_taken(call, name):
    call.put(ROBIN)

    assert send(call, name=name).status == 204


@pytest.mark.parametrize("value", [7, True, {"a": "b"}, ["a"]])
def test_properties_are_texts(call, value):
    call.put(ROBIN)

    assert send(call, properties={"total": value}).json["errors"][0]["field"] == "properties.total"


def test_a_property_of_null_is_stored_as_an_empty_text(call):
    call.put(ROBIN)
    send(call, properties={"total": None})

    assert events_of(call)[0]["properties"] == {"total": ""}


@pytest.mark.parametrize("given", [{"properties": []}, {"occurred_at": "yesterday"}, {"is_syncing": "true"}])
def test_another_field_of_the_wrong_shape_is_refused(call, given):
    call.put(ROBIN)

    assert send(call, **given).json["errors"][0]["field"] == next(iter(given))


def test_an_event_of_an_archived_member_is_stored_with_a_warning_in_the_log(call):
    call.put(ROBIN)
    call.member("DELETE", ROBIN)

    assert (send(call).status, len(events_of(call))) == (204, 1)
    assert any(entry.get("warning") for entry in call.sandbox("GET", "/log"))


def test_a_switch_shows_events_only_after_a_while(call):
    call.sandbox("POST", "/switches", {"event_delay_s": 30})
    call.put(ROBIN)
    send(call)
    soon = len(events_of(call))
    call.sandbox("POST", "/clock", {"advance_s": 30})

    assert (soon, len(events_of(call))) == (0, 1)
