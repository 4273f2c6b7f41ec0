"""Connections that are paused by hand, and resumed with the saved keys."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipeline.ledger.deliveries import pause_connection
from pipeline.ledger.engine import writing
from pipeline.ledger.schema.core import Delivery, StoreConnection
from tests.contracts.fake_track import CannedAnswer
from tests.installation import order_hook
from tests.receiver.cli.lanes import run_lanes

REFUSED = "the credentials were refused (401)"


@pytest.fixture
def connect(installed, track):
    """Connects a store; `refused`: the platform has paused it."""

    def connected(store="acme", *, refused=False, **config):
        link = installed.connect({**track.config, **config}, store=store)
        with writing(installed.process.engine) as conn:
            conn.execute(update(StoreConnection).values(account="3"))  # as the fake calls it
            if refused:
                pause_connection(conn, link, REFUSED, installed.process.now())
        return link

    return connected


def states(installed):
    return [(row.status, row.status_reason) for row in installed.rows(StoreConnection)]


def waiting(installed):
    return sum(row.done_at is None for row in installed.rows(Delivery))


def test_what_is_paused_by_hand_keeps_what_should_leave(shell, installed, connect):
    link = connect()
    shell.said("connections", "pause", "--store", "acme")
    installed.record(order_hook(1))
    run_lanes(installed, link)

    assert (states(installed), waiting(installed)) == ([("paused", "paused by hand")], 2)


def test_what_is_resumed_sends_what_waited(shell, installed, connect):
    link = connect(refused=True)
    installed.record(order_hook(1))

    assert shell.said("connections", "resume", "--store", "acme") == "acme to customerio resumes.\n"

    run_lanes(installed, link)
    assert waiting(installed) == 0


def test_keys_that_are_still_refused_leave_it_paused_and_say_so(shell, installed, connect):
    connect(refused=True, api_key="an-old-one")

    result = shell.run("connections", "resume", "--store", "acme")

    assert result.exit_code == 1
    assert "acme to customerio stays paused: Customer.io refused the Site ID and API key (401)." in result.stdout
    assert states(installed) == [("paused", REFUSED)]


def test_all_that_is_paused_is_tried_and_the_rest_is_left_alone(shell, installed, connect):
    connect("acme", refused=True)
    connect("moon", refused=True, api_key="an-old-one")
    connect("star")

    result = shell.run("connections", "resume", "--all")

    assert result.stdout.count("resumes") == result.stdout.count("stays paused") == 1
    assert [state for state, _ in states(installed)] == ["active", "paused", "active"]


def test_keys_that_lead_to_another_account_now_are_not_taken(shell, installed, connect, track):
    connect(refused=True)
    track.next.append(CannedAnswer(body='{"url": "x", "region": "us", "environment_id": 77}'))

    assert "lead to another account now" in shell.run("connections", "resume", "--store", "acme").stdout


def test_with_nothing_paused_there_is_nothing_to_do(shell, connect):
    connect()

    assert shell.said("connections", "resume", "--all") == "No connection is paused.\n"


@pytest.mark.parametrize("typed", [(), ("--store", "acme", "--all"), ("--label", "x"), ("--label", "x", "--all")])
def test_it_must_be_said_which(shell, connect, typed):
    connect()

    assert "give a store with --store, or --all" in shell.complaint("connections", "pause", *typed, code=2)


def test_an_unknown_store_or_label_is_reported(shell, connect):
    connect()

    assert "no store moon" in shell.complaint("connections", "resume", "--store", "moon")
    assert "has no such connection" in shell.complaint("connections", "pause", "--store", "acme", "--label", "x")


def test_programs_read_what_became_of_each(shell, connect):
    link = connect(refused=True)

    [resumed] = shell.json("connections", "resume", "--all")

    assert resumed == {"connection_id": link, "store": "acme", "platform": "customerio", "label": "", "fault": None}


def test_the_people_of_a_store_are_shown_started_and_stopped(shell, installed, connect):
    connect()

    assert "No people of acme were sent to customerio" in shell.said("connections", "people", "--store", "acme")
    assert "are being sent" in shell.said("connections", "people", "--store", "acme", "--start")
    assert "were stopped" in shell.said("connections", "people", "--store", "acme", "--stop")


def test_a_connection_that_is_not_named_clearly_is_answered_with_those_there_are(shell, installed, connect):
    connect()

    said = shell.complaint("connections", "people", "--store", "acme", "--label", "x")

    assert "the store has: customerio" in said


def test_a_mapping_is_tried_first_and_saved_if_that_is_said(shell, installed, connect):
    connect()
    installed.record(order_hook(1))
    typed = ("connections", "mapping", "--store", "acme", "--event", "order_new=Placed Order", "--attribute", "phone=")

    tried = shell.said(*typed)
    assert "Of the last 1 events 1 would have another name" in tried
    assert installed.rows(StoreConnection)[0].mapping is None
    assert "Saved." in shell.said(*typed, "--save")
    assert shell.json("connections", "mapping", "--store", "acme")["before"] == {
        "events": {"order_new": "Placed Order"},
        "attributes": {"phone": None},
    }


def test_a_mapping_that_is_wrong_is_refused_with_its_place(shell, connect):
    connect()

    said = shell.complaint("connections", "mapping", "--store", "acme", "--event", "order_old=x")

    assert "events.order_old: Cratejoy has no such event" in said


def test_what_leaves_has_the_names_of_its_connection(shell, installed, connect, track):
    link = connect()
    shell.said("connections", "mapping", "--store", "acme", "--event", "order_new=Placed Order", "--save")
    installed.record(order_hook(1))
    run_lanes(installed, link)

    assert any("Placed Order" in str(call.taken) for call in track.calls)
