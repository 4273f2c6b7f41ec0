"""The mapping of a connection by a token: shown, tried and saved, with the refusals of the page."""

from __future__ import annotations

import pytest

from pipeline.ledger.connections import find_connection
from pipeline.ledger.engine import reading
from tests.receiver.api.conftest import find_deviations
from tests.receiver.api.test_resources import list_audited


@pytest.fixture
def place(filled):
    (item,) = filled.caller().get("/connections").get_json()["items"]
    return f"/connections/{item['id']}/mapping"


def saved(api):
    with reading(api.engine) as conn:
        return find_connection(conn, 1).mapping


def test_without_one_everything_goes_under_our_names(filled, place):
    assert filled.caller("read").get(place).get_json() == {"events": {}, "attributes": {}}


def test_names_are_changed_one_by_one_and_taken_back(filled, place):
    caller = filled.caller("settings", "read")
    caller.post(place, {"events": {"order_new": "Placed Order", "checkout_failed": None}})

    answer = caller.post(place, {"events": {"order_new": "order_new"}, "attributes": {"phone": None}})

    assert answer.status_code == 200
    assert answer.get_json() == {"events": {"checkout_failed": None}, "attributes": {"phone": None}}
    assert caller.get(place).get_json() == answer.get_json()
    assert len(list_audited(filled, "connection.mapping_changed")) == 2


def test_a_trial_counts_and_saves_nothing(filled, place):
    counts = filled.caller("read").post(f"{place}/try", {"events": {"order_new": "Placed Order"}}).get_json()

    assert counts["changed"] > 0
    assert counts["events"] == counts["changed"] + counts["unchanged"]
    assert len(counts["example_ids"]) == counts["changed"]
    assert saved(filled) is None


def test_each_place_that_is_wrong_is_named(filled, place):
    wrong = {"events": {"order_old": "x", "order_new": ""}, "attributes": {"email": None}}

    answer = filled.caller("settings").post(place, wrong)

    assert answer.status_code == 422
    assert {one["field"] for one in answer.get_json()["errors"]} == {
        "events.order_old",
        "events.order_new",
        "attributes.email",
    }
    assert saved(filled) is None


def test_a_token_that_may_only_read_changes_nothing(filled, place):
    assert filled.caller("read").post(place, {"events": {"order_new": "x"}}).status_code == 403
    assert saved(filled) is None


def test_the_answers_are_as_the_document_says(filled, place):
    filled.caller("settings").post(place, {"events": {"order_new": "Placed Order"}})

    assert find_deviations(filled.caller("read"), {"Mapping": place}) == {}
