"""`cratewire rehearse` shows what a change would do, and changes nothing."""

from __future__ import annotations

import pytest

from bench.rehearsal import copy_changed
from pipeline.ledger.schema.core import Delivery, StoreConnection
from pipeline.ledger.schema.rehearsals import SavedRehearsal
from tests.installation import order_hook

pytestmark = pytest.mark.slow

REHEARSE = ("rehearse", "--store", "acme", "--days", "400")


@pytest.fixture
def recorded(installed, track):
    installed.connect(track.config)
    installed.record(order_hook(1), order_hook(2, email="kim@example.com", customer_id=7002))
    return installed


def test_a_renamed_event_is_shown_with_its_values_and_nothing_is_saved(shell, recorded):
    said = shell.said(*REHEARSE, "--event", "order_new=Placed Order", "--list")

    assert "2 hooks: 4 messages as things are, 4 with the change. 2 differences." in said
    assert said.count("name: 'order_new' -> 'Placed Order'") == 2
    assert "customerio, order_new about customer:7002" in said
    assert recorded.rows(StoreConnection)[0].mapping is None
    assert len(recorded.rows(Delivery)) == 4


def test_events_that_the_store_would_keep_are_gone_and_a_connection_more_gets_people(shell, recorded):
    document = shell.json(*REHEARSE, "--keep", "order_new", "--add-platform", "klaviyo")

    changes = [(group["to"], group["kind"], group["change"], group["count"]) for group in document["groups"]]
    assert changes == [
        ("", "hook", "changed", 2),
        ("customerio", "event", "gone", 2),
        ("klaviyo (new)", "profile", "new", 2),
    ]
    assert (document["messages_before"], document["messages_after"]) == (4, 4)


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ((), "say what to change"),
        (("--event", "order_old=x"), "Cratejoy has no such event"),
        (("--send", "order_old"), "no such event: order_old"),
        (("--add-platform", "pigeon"), "no platform pigeon"),
    ],
)
@pytest.mark.usefixtures("recorded")
def test_a_change_that_makes_no_sense_is_refused(shell, typed, complaint):
    assert complaint in shell.complaint(*REHEARSE, *typed)


def test_a_saved_rehearsal_of_another_version_can_be_accepted(shell, recorded, tmp_path):
    other = copy_changed(tmp_path / "other")
    document = shell.json(*REHEARSE, "--against", str(other), "--save")

    said = shell.said("rehearse", "--accept", str(document["saved"]))

    (row,) = recorded.rows(SavedRehearsal)
    assert document["differences"] == 4  # an attribute of two profiles, and a field of two orders
    assert (row.release, row.differences) == (document["after"], 4)
    assert row.accepted_at is not None
    assert "Accepted: 4 differences of acme." in said


@pytest.mark.usefixtures("recorded")
def test_nothing_can_be_accepted_before_it_is_rehearsed(shell):
    assert "no finished rehearsal 7" in shell.complaint("rehearse", "--accept", "7")
