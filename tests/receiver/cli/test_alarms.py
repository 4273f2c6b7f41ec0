"""`cratewire alarms`: the list, and the test of their delivery."""

from __future__ import annotations

import json
from mailbox import Maildir

import pytest

from pipeline.ledger.accounts import NewUser, add_member, add_user
from pipeline.ledger.engine import writing
from pipeline.ledger.monitoring.alarms import end_alarms, open_alarm, record_diagnostics
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.ledger.stores import save_store
from tests.builders import NOW
from tests.pipeline.monitoring.test_alert_webhook import is_genuine
from tests.servers.listener import listener
from tests.servers.process import free_port


@pytest.fixture
def owned(installed):
    """A store with an owner."""
    with writing(installed.process.engine) as conn:
        store = save_store(conn, "acme", NOW)
        user_id = add_user(conn, NewUser("bea@example.com", "hash", "id", confirmed=True), NOW)
        add_member(conn, store.account_id, user_id, "owner", NOW)
    return store


@pytest.fixture
def alarmed(installed, owned):
    with writing(installed.process.engine) as conn:
        open_alarm(conn, NewAlarm("silence", owned.id, "order_new", NOW, 3_600_000_000), NOW)
        open_alarm(conn, NewAlarm("way_in", reason="TLS failed"), NOW)
        record_diagnostics(conn, [1], ["The hooks registered at Cratejoy are as they should be."], NOW)
        end_alarms(conn, [2], NOW + 9)


def test_alarms_are_listed_with_what_was_tried_for_those_that_are_open(shell, alarmed):
    text, document = shell.said("alarms", "list"), shell.json("alarms", "list")

    assert "No order_new of acme has become an event since 2026-03-02 16:46 UTC." in text
    assert "- The hooks registered at Cratejoy are as they should be." in text
    assert [(one["kind"], one["ended_at"]) for one in document] == [("way_in", NOW + 9), ("silence", None)]


def test_without_any_it_says_so(shell):
    assert shell.said("alarms", "list") == "There have been no alarms.\n"


def test_a_test_alarm_goes_every_way_there_is(shell, installed, owned, monkeypatch):
    with listener() as notice_server:
        monkeypatch.setenv("CRATEWIRE_ALARM_URL", notice_server.url)
        document = shell.json("alarms", "test", "--store", "acme")

    [letter], [request] = list(Maildir(installed.data / "mail")), notice_server.requests
    assert document == {"letters": [None], "notice": {"taken": True, "fault": None}}
    assert (letter["To"], letter["Subject"]) == ("bea@example.com", "A test alarm of Cratewire")
    assert json.loads(request.body)["type"] == "alarms.test"
    assert is_genuine(request, shell.said("alarms", "secret").strip())


def test_a_failed_delivery_is_reported_with_exit_code_1(shell, owned, monkeypatch):
    monkeypatch.setenv("CRATEWIRE_ALARM_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{free_port()}")

    result = shell.run("alarms", "test")

    assert result.exit_code == 1
    assert "mail: 0 of 1 mails accepted" in result.stdout
    assert "notice: connection refused" in result.stdout


def test_without_recipients_the_exit_code_is_1(shell):
    result = shell.run("alarms", "test")

    assert (result.exit_code, result.stdout) == (
        1,
        "mail: no recipient\nnotice: CRATEWIRE_ALARM_URL is not set\n",
    )


def test_an_unknown_store_is_reported_instead_of_mailing_its_owners(shell):
    assert "no store moon" in shell.complaint("alarms", "test", "--store", "moon")


def test_an_alarm_is_set_aside_and_brought_back(shell, alarmed):
    aside = shell.said("alarms", "set-aside", "1", "--reason", "the shop is closed", "--days", "7")
    listed, status = shell.said("alarms", "list"), shell.said("status")
    back = shell.said("alarms", "bring-back", "1")

    assert aside.startswith("Set aside: acme: no order_new since")
    assert "set aside" in listed
    assert status.startswith("Nothing needs you.\nSet aside until ")
    assert back == "It is back on the list.\n"
    assert shell.said("status").startswith("1 thing needs you: acme: no order_new since")


def test_an_alarm_that_is_over_cannot_be_set_aside(shell, alarmed):
    assert "no longer possible" in shell.complaint("alarms", "set-aside", "2", "--reason", "x")
