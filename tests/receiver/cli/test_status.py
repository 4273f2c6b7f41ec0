"""`cratewire status`."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import insert, update

from pipeline.ledger.backfills import insert_backfill
from pipeline.ledger.engine import writing
from pipeline.ledger.faults import DatabaseFault
from pipeline.ledger.monitoring.alarms import open_alarm
from pipeline.ledger.monitoring.canaries import claim_canary, record_canary_answer, request_canary
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.ledger.observation import DAY_US, MISSED, RECEIVED, Observation
from pipeline.ledger.observed_events import save_observations
from pipeline.ledger.reconciliations import create_missing_reconciliations
from pipeline.ledger.schema import core
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.counts import TotalCount
from pipeline.ledger.schema.retention import PastCount, RetentionProgress
from pipeline.ledger.store_apis import save_store_api, set_hook_registration
from pipeline.ledger.stores import save_store
from pipeline.monitoring.database_trouble import report_trouble
from tests.installation import make_hook, order_hook
from tests.receiver.cli.lanes import run_lanes


@pytest.fixture
def connection(installed, track):
    return installed.connect(track.config)


def test_an_installation_without_stores_says_what_to_do(shell):
    document = shell.json("status")

    assert (document["inbox"]["depth"], document["events"]["total"], document["connections"]) == (0, 0, [])
    assert "cratewire connect" in shell.said("status")


def test_what_waits_in_the_inbox_is_counted_with_its_age(shell, installed, connection):
    installed.receive(order_hook(1), order_hook(2))

    inbox = shell.json("status")["inbox"]
    assert inbox["depth"] == 2
    assert inbox["oldest_seconds"] > 0


def test_events_repeats_and_dead_hooks_are_counted(shell, installed, connection):
    installed.record(order_hook(1), order_hook(1), make_hook(b"{"), make_hook(b'{"a": 1}', event="design_updated"))

    events = shell.json("status")["events"]
    assert (events["total"], events["duplicates"], events["dead_hooks"]) == (2, 1, 1)
    assert (events["by_name"], events["by_outcome"]) == (
        {"design_updated": 1, "order_new": 1},
        {"forwarded": 1, "recorded": 1},
    )


def test_every_connection_says_what_waits_and_what_was_sent(shell, installed, connection):
    installed.record(order_hook(1))
    before = shell.json("status")
    run_lanes(installed, connection)
    after = shell.json("status")

    assert [(one["pending"], one["sent"], one["dead"]) for one in (before, after)] == [(2, 0, 0), (0, 2, 0)]
    assert [one["connections"][0]["pending"] for one in (before, after)] == [2, 0]


def test_a_paused_connection_says_why_and_what_to_do(shell, installed, connection):
    with installed.process.engine.begin() as conn:
        conn.execute(core.StoreConnection.__table__.update().values(status="paused", status_reason="401: refused"))

    text = shell.said("status")
    assert "1 thing needs you: acme: nothing reaches Customer.io (401: refused)" in text
    assert "`cratewire connections resume --store acme`" in text


def test_the_public_url_and_open_alarms_are_shown(shell, installed, connection):
    now = installed.process.now()
    with writing(installed.process.engine) as conn:
        open_alarm(conn, NewAlarm("silence", 1, last_at=now, expected_us=1), now)
        for number in range(3):
            request_canary(conn, 1, str(number), now)
            claim_canary(conn, number + 1, now)
            record_canary_answer(conn, number + 1, "TLS failed", now)

    text, document = shell.said("status"), shell.json("status")
    assert "TLS failed" in text
    assert "No hook of acme has become an event since" in text
    assert (document["way_in"]["works"], document["way_in"]["failures"]) == (False, 3)
    assert [alarm["store"] for alarm in document["alarms"]] == ["acme"]


def test_a_public_url_that_was_not_tested_yet_is_ok(shell, installed, monkeypatch):
    before = shell.said("status")
    monkeypatch.setenv("CRATEWIRE_CANARY_SECONDS", "0")

    assert "way in: not tested yet" in before
    assert "way in: not monitored" in shell.said("status")


def test_without_redis_it_says_so_in_a_sentence(shell, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9/0")

    assert "Redis does not answer" in shell.complaint("status")


def test_without_a_database_it_says_so_in_a_sentence(shell, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:9/nowhere")

    assert "the database does not answer" in shell.complaint("status")


def test_the_number_of_missed_hooks_is_shown(shell, installed, connection):
    here = installed.process
    with writing(here.engine) as conn:
        store = save_store(conn, "acme", here.now())
        save_store_api(conn, store.id, b"sealed", here.now())
        create_missing_reconciliations(conn, ["orders"], 0, here.now())
        states = {"k1": RECEIVED, "k2": MISSED}
        save_observations(
            conn, store.id, [Observation(key, "order_new", here.now() // DAY_US, one) for key, one in states.items()], 1
        )

    assert "1 of 2 hooks of the last seven days never arrived" in shell.said("status")
    assert shell.json("status")["reconciliations"][0]["rate"] == 0.5


TROUBLES = [
    (
        {"state": "failed", "ended_at": 1, "error": "GET orders: answered 400"},
        "reading them failed (GET orders: answered 400)",
    ),
    ({"state": "paused", "paused_at": 1}, "`cratewire backfill resume --store acme` resumes it"),
    ({"next_step_at": 0}, "does the backfill worker run?"),
    ({"error": "GET orders: answered 500", "next_step_at": 2**52}, "cannot be read now (GET orders: answered 500)"),
    ({"state": "done", "ended_at": 1, "error": "orders: it ran in circles"}, "not all of them could be read"),
]


def backfill(installed, **changed):
    here = installed.process
    with writing(here.engine) as conn:
        made = insert_backfill(conn, save_store(conn, "acme", here.now()).id, "all", "counting", here.now())
        conn.execute(update(Backfill).where(Backfill.id == made).values(changed))


@pytest.mark.parametrize(("changed", "says"), TROUBLES)
def test_a_stalled_backfill_is_reported_with_advice(shell, installed, connection, changed, says):
    backfill(installed, **changed)

    said = shell.said("status")
    assert "acme's customers: " in said
    assert says in said


@pytest.mark.parametrize("changed", [{"next_step_at": 2**52}, {"state": "done", "ended_at": 1}, {"state": "cancelled"}])
def test_of_a_backfill_that_is_well_nothing_is_said(shell, installed, connection, changed):
    backfill(installed, **changed)

    assert "customers" not in shell.said("status")
    assert [one["store"] for one in shell.json("status")["backfills"]] == ["acme"]


def test_a_store_whose_hooks_were_removed_is_named(shell, installed, connection):
    now = installed.process.now()
    with writing(installed.process.engine) as conn:
        save_store_api(conn, 1, b"sealed", now)
        set_hook_registration(conn, 1, now, registers=False)

    assert "acme's hooks at Cratejoy: removed; `cratewire hooks sync --store acme` registers them again." in shell.said(
        "status"
    )


def test_what_tasks_say_of_the_database_needs_a_person(shell, installed):
    here = installed.process
    report_trouble(
        here.redis, DatabaseFault("42501", "a right is missing", "GRANT it."), "hooks.fan_out", here.now() - 10**9
    )

    said = shell.said("status")
    assert said.startswith("1 thing needs you")
    assert "a right is missing (42501)" in said
    assert "GRANT it." in said
    assert shell.json("status")["database"]["task"] == "hooks.fan_out"


def test_a_database_of_another_encoding_is_refused_in_one_sentence(shell, installed, postgres_url, monkeypatch):
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE narrow3 ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        monkeypatch.setenv("DATABASE_URL", postgres_url.replace("/postgres?", "/narrow3?"))
        sqlite = f"sqlite:///{installed.data}/cratewire.db"
        complaints = {shell.complaint(*typed) for typed in (["status"], ["migrate"], ["migrate", "--from", sqlite])}
        admin.execute("DROP DATABASE narrow3 WITH (FORCE)")

    (only,) = complaints
    assert "the encoding LATIN1" in only
    assert "createdb --encoding=UTF8 --template=template0" in only


def test_what_is_kept_is_shown_with_its_setting_and_since_when(shell, installed, connection):
    installed.record(order_hook(1))
    swept = {"kind": "bodies", "cursor": 0, "slice_size": 1, "deleted": 7, "swept_at": installed.process.now()}
    with installed.process.engine.begin() as conn:
        conn.execute(insert(RetentionProgress).values(swept))

    kept = {row["kind"]: row for row in shell.json("status")["kept"]}
    assert (kept["bodies"]["days"], kept["bodies"]["deleted"], kept["bodies"]["oldest_at"] > 0) == (30, 7, True)
    assert (kept["people"]["days"], kept["dead_hooks"]["oldest_at"]) == (0, None)
    assert "raw bodies" in shell.said("status")


def test_dead_hooks_that_were_deleted_are_counted(shell, installed, connection):
    row = {"store_id": 0, "name": "order_new", "outcome": "dead", "number": 3}
    with installed.process.engine.begin() as conn:
        conn.execute(insert(PastCount).values({**row, "duplicates": 0}))
        conn.execute(insert(TotalCount).values(row))

    assert "dead hooks: 0, and 3 deleted" in shell.said("status")
