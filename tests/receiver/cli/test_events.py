"""`cratewire events`."""

from __future__ import annotations

import json
from itertools import count
from types import SimpleNamespace

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.ledger.schema import core
from receiver.cli import events
from tests.builders import NOW
from tests.installation import make_hook, order_hook
from tests.receiver.cli.lanes import run_lanes


@pytest.fixture
def connection(installed, track):
    return installed.connect(track.config)


def test_events_are_listed_newest_first(shell, installed, connection):
    installed.record(order_hook(1), order_hook(2))

    assert [row["subject_id"] for row in shell.json("events", "list")] == [2, 1]


def test_a_list_can_be_narrowed_and_turned_over(shell, installed, connection):
    installed.record(*(order_hook(number) for number in range(1, 6)), make_hook(b'{"a": 1}', event="design_updated"))

    only = shell.json("events", "list", "--name", "order_new", "--limit", "2")
    older = shell.json("events", "list", "--name", "order_new", "--limit", "2", "--before", str(only[-1]["id"]))

    assert [row["subject_id"] for row in (*only, *older)] == [5, 4, 3, 2]
    assert [row["name"] for row in shell.json("events", "list", "--outcome", "recorded")] == ["design_updated"]


def test_a_list_without_events_says_so(shell, connection):
    assert shell.said("events", "list", "--store", "acme", "--name", "order_new") == "No event.\n"
    assert shell.json("events", "list", "--store", "acme", "--name", "order_new") == []


def test_a_name_no_event_has_is_refused_with_those_there_are(shell, connection):
    complaint = shell.complaint("events", "list", "--name", "nope")

    assert [name for name in ("no event is called nope", *EVENTS) if name not in complaint] == []


def test_an_event_cratejoy_does_not_name_is_listed_to_the_last_page(shell, installed, connection):
    installed.record(make_hook(b'{"a": 1}', event="brand_new"))

    assert [row["outcome"] for row in shell.json("events", "list", "--name", "brand_new")] == ["unknown_event"]
    assert shell.json("events", "list", "--name", "brand_new", "--before", "1") == []


def test_an_outcome_no_event_has_is_a_slip_of_the_pen(shell):
    assert "'no_connection'" in shell.complaint("events", "list", "--outcome", "bogus", code=2)


@pytest.mark.parametrize("name", ["list", "tail"])
def test_an_unknown_store_is_reported(shell, installed, name):
    assert "no store other" in shell.complaint("events", name, "--store", "other")


def test_the_text_shows_that_an_event_had_two_hooks(shell, installed, connection):
    installed.record(order_hook(1), order_hook(1))

    assert "came 2 times" in shell.said("events", "list")


@pytest.mark.parametrize(("hooks", "said"), [(0, "forwarded, recovered"), (1, "forwarded, recovered, hook came late")])
def test_the_text_shows_that_no_hook_arrived_in_time(shell, installed, connection, hooks, said):
    installed.record(order_hook(1, source="reconcile"), *(order_hook(1) for _ in range(hooks)))

    assert said in shell.said("events", "list")


@pytest.mark.parametrize("known_as", ["id", "ulid", "receipt"])
def test_an_event_is_found_by_its_id_its_ulid_or_its_receipt(shell, installed, connection, known_as):
    installed.record(order_hook(1))
    (listed,) = shell.json("events", "list")

    assert shell.json("events", "show", str(listed[known_as]))["event"] == listed


def test_one_event_is_shown_with_its_bytes_its_people_its_deliveries_and_its_calls(shell, installed, connection):
    hook = order_hook(1)
    installed.record(hook)
    run_lanes(installed, connection)

    document = shell.json("events", "show", "1")

    assert document["raw"] == hook.raw.decode()
    assert [one["email"] for one in document["people"]] == ["bea.buyer@example.com"]
    assert [(one["kind"], one["status"]) for one in document["deliveries"]] == [("profile", "sent"), ("event", "sent")]
    assert {call["status"] for call in document["calls"]} == {200}


def test_a_human_reads_the_same_of_one_event(shell, installed, connection):
    installed.record(order_hook(1))
    run_lanes(installed, connection)

    text = shell.said("events", "show", "1")

    assert [
        word for word in ("order_new", "bea.buyer@example.com", "customerio", "sent", "-> 200") if word not in text
    ] == []


def test_why_a_delivery_failed_is_reported(shell, installed, connection):
    installed.record(make_hook(b'{"id": 1, "customer": {"id": 7001}, "type": "order"}'))

    assert [one["reason"] for one in shell.json("events", "show", "1")["people"]] == ["no_email"]
    assert "no_email" in shell.said("events", "show", "1")


def test_a_field_that_could_not_be_read_is_named_with_the_reason(shell, installed, connection):
    installed.record(make_hook(b'{"id": 1, "customer": {"id": 7001}, "total": "$5", "type": "order"}'))

    said = "note       field_set_aside: the field total was left out: it is not an amount (3495 or 34.95)"
    assert said in shell.said("events", "show", "1")


def test_why_a_delivery_died_is_said(shell, installed, connection):
    installed.record(order_hook(1))
    with installed.process.engine.begin() as conn:
        dead = {"status": "dead", "reason": "identifier_too_long", "done_at": NOW}
        conn.execute(core.Delivery.__table__.update().where(core.Delivery.id == 2).values(**dead))

    assert "delivery 2: identifier_too_long" in shell.said("events", "show", "1").splitlines()


@pytest.mark.parametrize("wanted", ["7", "9" * 40, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "nothing"])
def test_an_event_that_is_not_there_is_said(shell, installed, wanted):
    assert shell.complaint("events", "show", wanted) == f"Error: no event {wanted}\n"


def test_a_database_from_before_is_said(shell, installed):
    with installed.process.engine.begin() as conn:
        conn.exec_driver_sql("DELETE FROM alembic_version")

    assert "cratewire migrate" in shell.complaint("events", "list")


def test_following_leaves_no_event_out_however_many_come_at_once(shell, installed, connection, monkeypatch):
    numbers, wanted = count(1), 650

    def record_many(_seconds):
        installed.record(*(order_hook(next(numbers)) for _ in range(300)))

    monkeypatch.setattr(events, "time", SimpleNamespace(sleep=record_many))
    record_many(0)
    lines = shell.said("events", "tail", "--json", "--limit", str(wanted)).splitlines()

    assert [json.loads(line)["id"] for line in lines] == list(range(301, 301 + wanted))


def test_no_person_is_shown_in_a_list(shell, installed, connection):
    installed.record(order_hook(1))

    assert "bea.buyer" not in shell.said("events", "list") + shell.said("events", "list", "--json")
    assert installed.rows(core.Person)
