"""What needs a person: listed, acted upon and set aside by a token."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import writing
from pipeline.ledger.monitoring.alarms import open_alarm
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.ledger.schema.audit import AuditEntry

ACTIONS = ("act", "set-aside", "bring-back")


@pytest.fixture
def silent(filled):
    """An open item in acme, and one in eve's shop."""
    with writing(filled.engine) as conn:
        for store_id in (1, 2):
            open_alarm(conn, NewAlarm("silence", store_id, last_at=filled.clock[0], expected_us=1), filled.clock[0])
    return filled


def listed(caller, state):
    return [row["id"] for row in caller.get(f"/attention?state={state}").get_json()["items"]]


def test_an_item_is_set_aside_and_brought_back(silent):
    caller = silent.caller("read", "operate")
    assert (listed(caller, "open"), listed(caller, "set_aside")) == (["1"], [])

    aside = caller.post("/attention/1/set-aside", {"reason": "on holiday", "days": 2}).get_json()
    assert aside["set_aside"]["reason"] == "on holiday"
    assert (listed(caller, "open"), listed(caller, "set_aside")) == ([], ["1"])

    assert caller.post("/attention/1/bring-back").get_json()["set_aside"] is None
    assert listed(caller, "open") == ["1"]


def test_a_reason_may_begin_with_a_space_but_needs_a_letter(silent):
    caller = silent.caller("operate")
    answers = [caller.post("/attention/1/set-aside", {"reason": reason}) for reason in (" \n", "\x1f on holiday")]

    assert [answer.status_code for answer in answers] == [422, 200]


def test_an_action_is_done_and_recorded_with_the_token(silent):
    caller = silent.caller("read", "operate")
    answer = caller.post("/attention/1/act", {})

    assert answer.status_code == 200
    assert answer.get_json()["done"].startswith("A test hook is sent to the public address. Cratejoy's Client ID")
    entry = silent.installed.rows(AuditEntry)[-1]
    assert (entry.action, entry.via, entry.token_id) == ("attention.acted", "api", 1)
    assert entry.about == {"item": 1, "cause": "silence", "button": "look_for_hooks"}


def test_setting_aside_is_recorded_with_the_token(silent):
    silent.caller("read", "operate").post("/attention/1/set-aside", {"reason": "x"})

    last = silent.installed.rows(AuditEntry)[-1]
    assert (last.action, last.via, last.token_id) == ("attention.set_aside", "api", 1)


@pytest.mark.parametrize("path", ["", "/act", "/set-aside", "/bring-back"])
def test_an_item_of_another_account_is_not_there(silent, path):
    body = {"reason": "x"} if path == "/set-aside" else {}

    assert silent.caller().call("GET" if not path else "POST", f"/attention/2{path}", json=body).status_code == 404


def test_what_concerns_every_shop_is_listed_and_shown_but_not_acted_upon(filled):
    with writing(filled.engine) as conn:
        open_alarm(conn, NewAlarm("way_in", last_at=filled.clock[0]), filled.clock[0])
    caller = filled.caller("read", "operate")
    answers = [caller.post(f"/attention/1/{path}", {"reason": "x"} if path == "set-aside" else {}) for path in ACTIONS]

    assert (listed(caller, "open"), caller.get("/attention/1").get_json()["cause"]) == (["1"], "way_in")
    assert {answer.status_code for answer in answers} == {409}


def test_an_item_of_the_installation_is_not_there(filled):
    with writing(filled.engine) as conn:
        said = {"headline": "Redis does not answer", "effect": "Hooks are kept.", "to_do": "Start it."}
        open_alarm(conn, NewAlarm("redis", subject="x", said=said), filled.clock[0])
    caller = filled.caller("read", "operate")

    assert (listed(caller, "open"), caller.get("/attention/1").status_code) == ([], 404)


def test_the_flow_adds_up(filled):
    span = "since=2026-03-02T00:00:00Z&until=2026-03-03T00:00:00Z"
    total = filled.caller("read").get(f"/flow?shop=acme&{span}").get_json()["total"]
    places = ("repeats", "unreadable", "kept", "withheld", "waiting", "sent", "refused")

    assert total["received"] == sum(total[place] for place in places)
    assert (total["received"], total["waiting"], total["unreadable"]) == (6, 5, 1)
