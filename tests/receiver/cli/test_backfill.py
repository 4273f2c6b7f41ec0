"""`cratewire backfill`: what it shows, and what it changes."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipeline.ledger.engine import writing
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.store_apis import save_store_api
from pipeline.ledger.stores import save_store
from receiver.cli.progress import format_duration
from tests.builders import NOW


@pytest.fixture
def typed(shell, installed):
    """Runs `cratewire backfill …` for a store with keys."""
    with writing(installed.process.engine) as conn:
        save_store_api(conn, save_store(conn, "acme", NOW).id, b"sealed", NOW)
        save_store(conn, "keyless", NOW)

    def type_(name, *more):
        return shell.json("backfill", name, "--store", "acme", *more)

    return type_


def change(installed, **values):
    with writing(installed.process.engine) as conn:
        conn.execute(update(Backfill).values(values))


def test_starting_a_backfill_shows_it(typed):
    found = typed("start")

    assert (found["kind"], found["state"], found["customers"], found["pages"]) == ("all", "running", 0, 0)


def test_an_incremental_backfill_can_be_started(typed):
    assert typed("start", "--incremental")["kind"] == "incremental"


def test_it_is_paused_resumed_and_cancelled(typed):
    states = [typed(name)["state"] for name in ("start", "pause", "resume", "cancel", "status")]

    assert states == ["running", "paused", "running", "cancelled", "cancelled"]


@pytest.mark.parametrize(
    ("name", "why"),
    [("pause", "is running"), ("resume", "is paused"), ("cancel", "running or paused"), ("status", "never been read")],
)
def test_what_cannot_be_done_is_said(typed, shell, name, why):
    assert why in shell.complaint("backfill", name, "--store", "acme")


def test_a_second_run_is_refused(typed, shell):
    typed("start")

    assert "store acme: a backfill is running or paused" in shell.complaint("backfill", "start", "--store", "acme")


@pytest.mark.parametrize(
    ("store", "why"), [("nowhere", "no store nowhere"), ("keyless", "keyless is connected without")]
)
def test_a_store_that_cannot_be_read_is_named(typed, shell, store, why):
    assert why in shell.complaint("backfill", "start", "--store", store)


def test_a_human_reads_how_far_it_is(typed, shell, installed):
    typed("start")
    done, totals = {"subscriptions": 10, "orders": 10, "customers": 300}, {"subscriptions": 10, "orders": 10}
    change(
        installed, phase="customers", pages=5, done=done, totals={**totals, "customers": 1200}, throttled_us=75_000_000
    )
    text = shell.said("backfill", "status", "--store", "acme")

    assert "running, at the customers" in text
    assert "customers: 300 of 1200" in text
    assert "waited: 1:15 because Cratejoy asked for it" in text


def test_a_waiting_backfill_says_until_when(typed, shell, installed):
    typed("start")
    change(installed, next_step_at=NOW)

    assert "next step: 03-02 16:46:40" in shell.said("backfill", "status", "--store", "acme")


def test_an_ended_backfill_shows_no_time_left(typed, shell, installed):
    typed("start")
    change(installed, state="done", ended_at=NOW)

    assert "left" not in shell.said("backfill", "status", "--store", "acme")


@pytest.mark.parametrize(("state", "code"), [("done", 0), ("failed", 1), ("cancelled", 1)])
def test_watching_ends_with_the_backfill_and_reports_its_end(typed, shell, installed, state, code):
    typed("start")
    change(installed, state=state, ended_at=NOW, error="refused")

    result = shell.run("backfill", "watch", "--store", "acme")
    assert (result.exit_code, f"): {state}" in result.stdout) == (code, True)
    assert "? left" not in result.output


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "?"), (0.4, "0 s"), (59.4, "59 s"), (59.6, "1:00"), (187, "3:07"), (3723, "1:02:03")]
)
def test_durations_are_readable(seconds, said):
    assert format_duration(seconds) == said
