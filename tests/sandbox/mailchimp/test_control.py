"""The control paths, and the process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.sandbox.mailchimp.conftest import ROBIN, key_of

NEW = "new@sample-shop.com"


def people(call, query=""):
    return call.sandbox("GET", f"/people{query}")


def add_field(call, name, tag, kind="text", **more):
    call("POST", f"{call.list}/merge-fields", {"name": name, "tag": tag, "type": kind, **more})


def test_a_person_has_an_id_an_address_attributes_and_events(call):
    add_field(call, "Customer id", "CJ_ID")
    call.put(ROBIN, merge_fields={"CJ_ID": "12345", "FNAME": "Robin"})
    call.member("POST", ROBIN, {"name": "order_new", "properties": {"total": "39.00"}}, below="/events")

    [found] = people(call)

    assert set(found) == {"cio_id", "id", "email", "attributes", "events"}
    assert (found["id"], found["email"]) == ("12345", ROBIN)
    assert (found["attributes"]["FNAME"], found["attributes"]["first_name"]) == ("Robin", "Robin")
    assert [(one["name"], one["data"]) for one in found["events"]] == [("order_new", {"total": "39.00"})]


def test_people_come_in_pages(call):
    for number in range(5):
        call.put(f"p{number}@sample-shop.com")

    assert [one["email"][:2] for one in people(call, "?offset=1&limit=2")] == ["p1", "p2"]


def test_tags_and_choices_of_yes_and_no_are_flags_of_a_person(call):
    add_field(call, "is_vip", "VIP", "radio", options={"choices": ["yes", "no"]})
    call.put(ROBIN, merge_fields={"VIP": "yes"})
    call.member("POST", ROBIN, {"tags": [{"name": "Gift recipient", "status": "active"}]}, below="/tags")

    [found] = people(call)

    assert (found["attributes"]["is_vip"], found["attributes"]["gift_recipient"]) == (True, True)


def test_an_archived_member_is_the_history_of_the_member_with_the_same_id(call):
    add_field(call, "Customer id", "CJ_ID")
    call.put(ROBIN, merge_fields={"CJ_ID": "12345"})
    call.member("POST", ROBIN, {"name": "order_new"}, below="/events")
    call.member("DELETE", ROBIN)
    call.put(NEW, merge_fields={"CJ_ID": "12345"})

    [found] = people(call)

    assert (found["email"], [one["name"] for one in found["events"]]) == (NEW, ["order_new"])


def test_two_present_members_with_one_id_are_two_people(call):
    add_field(call, "Customer id", "CJ_ID")
    for address in (ROBIN, NEW):
        call.put(address, merge_fields={"CJ_ID": "12345"})

    assert len(people(call)) == 2


def test_an_erased_member_is_no_person(call):
    call.put(ROBIN)
    call.member("POST", ROBIN, below="/actions/delete-permanent")

    assert people(call) == []


def test_what_calls_wrote_is_known_in_order(call, world):
    call.put(ROBIN)
    call.member("POST", ROBIN, {"name": "order_new"}, below="/events")
    call.put(ROBIN, merge_fields={"FNAME": None})

    assert world.calls == [[(ROBIN, "profile", None)], [(ROBIN, "event", "order_new")]]


def test_the_log_has_every_call_with_its_status(call):
    call.put(ROBIN)

    [entry] = call.sandbox("GET", "/log")

    assert (entry["method"], entry["status"]) == ("PUT", 200)
    assert entry["path"].endswith(key_of(ROBIN))


def test_figures_count_members_by_status(call):
    call.put(ROBIN)
    call.put(NEW, "subscribed")

    stats = call.sandbox("GET", "/stats")

    assert (stats["people"], stats["member_statuses"]) == (2, {"transactional": 1, "subscribed": 1})


@pytest.mark.parametrize("wanted", [{"nothing": 1}, {"locale": "fr"}, {"premium": 1}, {"event_delay_s": True}])
def test_an_unknown_switch_is_refused_and_nothing_is_set(call, wanted):
    answer = call.sandbox("POST", "/switches", {"reject_fake": True, **wanted})

    assert "switch" in answer["error"]
    assert call.sandbox("GET", "/switches")["reject_fake"] is False


@pytest.mark.parametrize(
    "wanted",
    [
        {"action": "dance", "member": ROBIN},
        {"action": "bounce", "member": NEW},
        {"action": "confirm", "member": ROBIN},
        {"action": "delete_field", "tag": "NONE"},
        {"action": "bounce", "member": ROBIN, "audience": "none"},
    ],
)
def test_an_action_that_cannot_be_is_refused(call, wanted):
    call.put(ROBIN)

    assert "error" in call.sandbox("POST", "/actions", wanted)


def test_the_merchant_may_archive_a_member(call):
    call.put(ROBIN)
    call.act("archive_by_admin", key_of(ROBIN))

    assert call.status_of(ROBIN) == "archived"


def test_an_audience_can_be_added_and_deleted(call):
    other = call.sandbox("POST", "/audiences", {"name": "Other", "double_optin": True})
    before = call("GET", "/lists").json["total_items"]
    call.sandbox("POST", "/audiences", {"id": other["audience"], "delete": True})

    assert (other["double_optin"], before, call("GET", "/lists").json["total_items"]) == (True, 2, 1)


def test_another_key_of_the_user_can_be_had(call):
    keys = call.sandbox("POST", "/keys", {"add_for": "user-1"})["keys"]
    call.auth = ("user", list(keys)[-1])

    assert call("GET", "/ping").status == 200


def test_a_reset_forgets_everyone(call):
    call.put(ROBIN, "subscribed")
    call.sandbox("POST", "/reset")

    assert (people(call), call.started(), call("GET", "/ping").status) == ([], [], 200)


def test_it_starts_alone_and_prints_its_address_and_keys_as_one_line_of_json():
    command = [sys.executable, "-m", "sandbox.mailchimp", "--double-optin"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        process.terminate()

    greeting = json.loads(line)
    assert set(greeting) == {"url", "base_url", "api_key", "audience"}
    assert (greeting["base_url"], greeting["api_key"][-4:]) == (f"{greeting['url']}/3.0", "-us1")
