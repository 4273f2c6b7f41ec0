"""Only the members of a store's account see on its page that it is silent."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import writing
from pipeline.ledger.monitoring.alarms import end_alarms, open_alarm, record_diagnostics
from pipeline.ledger.monitoring.rows import NewAlarm
from tests.builders import NOW

SAYS = "No order_new of acme has become an event since"


@pytest.fixture
def alarmed(pages):
    store_id = pages.store("acme", pages.member("bea@example.com"))
    with writing(pages.site.engine) as conn:
        open_alarm(conn, NewAlarm("silence", store_id, "order_new", NOW, 3_600_000_000), NOW)
        record_diagnostics(conn, [1], ["The hooks registered at Cratejoy are as they should be."], NOW)
    return pages


def seen_by(pages, email, store):
    visitor = pages.logged_in(email)
    visitor.go(f"/stores/{store}")
    return visitor.text


def test_an_open_alarm_is_shown_with_what_was_tried(alarmed):
    text = seen_by(alarmed, "bea@example.com", "acme")

    assert SAYS in text
    assert "The hooks registered at Cratejoy are as they should be." in text


def test_an_alarm_that_is_over_is_not_shown(alarmed):
    with writing(alarmed.site.engine) as conn:
        end_alarms(conn, [1], NOW + 1)

    assert SAYS not in seen_by(alarmed, "bea@example.com", "acme")


def test_alarms_of_others_are_hidden_and_a_broken_public_url_is_shown_to_all(alarmed):
    alarmed.store("moon", alarmed.member("mo@example.com"))
    with writing(alarmed.site.engine) as conn:
        open_alarm(conn, NewAlarm("way_in", reason="TLS failed"), NOW)

    text = seen_by(alarmed, "mo@example.com", "moon")
    assert "acme" not in text
    assert "Hooks that Cratewire sends to its own public address do not come back: TLS failed." in text
