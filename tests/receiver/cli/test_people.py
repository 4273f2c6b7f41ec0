"""`cratewire people`."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from tests.installation import make_hook, order_hook


@pytest.fixture(autouse=True)
def recorded(installed):
    installed.connect({})
    installed.connect({}, store="other")
    installed.record(order_hook(1), order_hook(2), order_hook(3, "vera@example.com", 7002))


@pytest.mark.parametrize("known_as", ["bea.buyer@example.com", " BEA.Buyer@example.com ", "7001", "1"])
def test_a_person_is_found_by_address_customer_id_or_our_own_id(shell, known_as):
    (found,) = shell.json("people", "show", known_as)

    assert (found["customer_id"], found["email"], found["store"]) == (7001, "bea.buyer@example.com", "acme")
    assert [event["subject_id"] for event in found["events"]] == [2, 1]


def test_facts_and_attributes_say_what_is_known(shell):
    (found,) = shell.json("people", "show", "7001")

    assert found["attributes"]["first_name"] == "Bea"
    assert {fact["kind"] for fact in found["facts"]} >= {"customer", "order"}


def test_one_address_in_two_stores_is_two_people(shell, installed):
    installed.record(order_hook(9, store="other"))

    assert [one["store"] for one in shell.json("people", "show", "bea.buyer@example.com")] == ["acme", "other"]


def test_a_human_reads_attributes_and_events(shell):
    text = shell.said("people", "show", "7001")

    assert [word for word in ("bea.buyer@example.com", "first_name", "Bea", "order_new") if word not in text] == []
    assert "vera@" not in text


@pytest.mark.parametrize("unknown", ["unknown@example.com", "70010", "9" * 30, "%", "first_name"])
def test_an_unknown_person_is_reported_without_the_query(shell, unknown):
    assert shell.complaint("people", "show", unknown) == "Error: no person has that address or id\n"


@pytest.fixture
def withheld(installed):
    """A store whose customer is known only from Marketplace."""
    installed.connect({}, store="market")
    answers = {"marketplace_sources": ["2"], "storefront_sources": ["1"]}
    with writing(installed.process.engine) as conn:
        conn.execute(update(core.Store).where(core.Store.name == "market").values(answers))
    buyer = {"id": 7011, "email": "mia@example.com", "first_name": "Mia"}
    installed.record(make_hook(json.dumps({"id": 11, "customer": buyer, "source": 2}).encode(), store="market"))


def test_a_withheld_person_is_shown_as_such(shell, withheld):
    (found,) = shell.json("people", "show", "mia@example.com")

    assert (found["withheld"], found["events"][0]["outcome"]) == ("withheld_marketplace", "withheld")
    assert "Withheld because the person is known only from Marketplace" in shell.said(
        "people", "show", "mia@example.com"
    )


def test_a_released_persons_events_are_sent_once(shell, withheld, installed):
    release = "people", "release", "mia@example.com", "--store", "market", "--consent-confirmed"

    assert shell.json(*release)["events"] == 1
    kinds = [row.kind for row in installed.rows(core.Delivery) if row.message["customer_id"] == 7011]
    assert kinds == ["profile", "event"]
    assert "is not withheld" in shell.complaint(*release)


def test_earlier_values_and_what_became_of_events_are_shown(shell, installed):
    installed.record(order_hook(4, "new@example.com"))
    (found,) = shell.json("people", "show", "7001")
    text = shell.said("people", "show", "7001")

    assert found["headline"].startswith("Bea · new@example.com")
    assert [
        value["value"] for part in found["history"] if part["attribute"] == "email" for value in part["values"]
    ] == [
        "new@example.com",
        "bea.buyer@example.com",
    ]
    lacking = ("before: bea.buyer@example.com", "Bea placed order 4", "Waits for Customer.io", "Allow updates to email")
    assert [words for words in lacking if words not in text] == []


def test_why_answers_for_events_of_one_name(shell):
    (found,) = shell.json("people", "why", "7001", "order_new")

    assert [(item["name"], [one["cause"] for one in item["verdicts"]]) for item in found["events"]] == [
        ("order_new", ["waiting_turn"])
    ] * 2
    assert "Waits for Customer.io" in shell.said("people", "why", "7001")


def test_why_answers_for_one_event_by_its_id(shell):
    assert [item["event"] for item in shell.json("people", "why", "7001", "2")[0]["events"]] == [2]


def test_why_answers_for_an_event_of_an_address_that_two_stores_know(shell, installed):
    installed.record(order_hook(9, store="other"))
    found = shell.json("people", "why", "bea.buyer@example.com", "4")

    assert [(one["store"], [item["event"] for item in one["events"]]) for one in found] == [("other", [4])]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("7001", "9" * 30), "there is no event 999"),
        (("7001", "99"), "there is no event 99"),
        (("7001", "3"), "event 3 does not concern person 1"),
        (("unknown@example.com",), "no person has that address or id"),
    ],
)
def test_what_cannot_be_answered_is_an_error(shell, arguments, says):
    assert says in shell.complaint("people", "why", *arguments)


def test_a_time_that_cannot_be_read_is_a_usage_error(shell):
    assert "noon is no day or time" in shell.complaint("people", "why", "7001", "--since", "noon", code=2)


def test_why_since_a_later_day_has_no_answer(shell):
    assert "No event like this concerns the person." in shell.said("people", "why", "7001", "--since", "2036-01-01")
