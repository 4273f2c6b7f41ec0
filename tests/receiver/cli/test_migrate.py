"""`cratewire migrate` warns of a secret key that does not fit the ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import delete, make_url

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.migrations import OLDEST_BACK
from pipeline.ledger.revision import current_revision, newest_revision
from pipeline.ledger.schema.rehearsals import StartedRelease
from pipeline.rehearsal.releases import note_release
from pipeline.settings import Settings
from receiver.cli.migrate import migrate_when_ready
from tests.builders import NOW


def test_migrating_with_another_key_warns(shell, installed, monkeypatch):
    installed.connect({"api_key": "k"})
    monkeypatch.setenv("CRATEWIRE_SECRET_KEY", "an-invented-secret-key")

    assert "Warning: the secret key opens 0 of 1" in shell.run("migrate").stderr


def test_migrating_with_the_right_key_does_not_warn(shell, installed):
    installed.connect({"api_key": "k"})

    assert not shell.run("migrate").stderr


def test_a_ledger_is_copied_into_the_database_of_the_settings(shell, installed, empty_postgres, monkeypatch):
    installed.connect({"api_key": "k"})
    monkeypatch.setenv("DATABASE_URL", empty_postgres)

    text = shell.said("migrate", "--from", f"sqlite:///{installed.data}/cratewire.db")

    assert "Copied 3 rows: 0 events and 0 people among them." in text
    assert [one["store"] for one in shell.json("status")["connections"]] == ["acme"]


def test_a_failed_copy_is_reported_in_one_sentence(shell, installed, empty_postgres, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", empty_postgres)
    (installed.data / "notes.txt").write_text(
        "no database at all, however long this sentence may be made to go on" * 50
    )

    complaint = shell.complaint("migrate", "--from", f"sqlite:///{installed.data}/notes.txt")

    assert complaint == "Error: nothing was copied: a database failed (DatabaseError)\n"


def go_back(shell):
    shell.said("migrate", "--back-to", OLDEST_BACK)


def test_the_plan_says_what_follows_and_changes_nothing(shell, installed):
    go_back(shell)

    said = shell.said("migrate", "--plan")

    assert said.startswith(f"The database is at revision {OLDEST_BACK}; ")
    assert "no noticeable time" in said
    assert current_revision(installed.process.settings.database_url) == OLDEST_BACK


def test_a_program_reads_the_plan(shell):
    go_back(shell)

    plan = shell.json("migrate", "--plan")

    assert (plan["revision"], plan["seconds"], plan["rewritten_bytes"]) == (OLDEST_BACK, 0.0, 0)
    assert plan["steps"][-1]["revision"] == newest_revision()


def test_the_plan_of_a_database_of_this_version_is_empty(shell):
    assert "there is nothing to do" in shell.said("migrate", "--plan")


def test_the_plan_of_a_new_database_says_that_it_is_new(shell, monkeypatch, tmp_path):
    monkeypatch.setenv("CRATEWIRE_DATA_DIR", str(tmp_path / "new"))

    assert "The database is new" in shell.said("migrate", "--plan")
    assert not (tmp_path / "new" / "cratewire.db").exists()


@pytest.mark.parametrize("typed", [("--plan", "--wait"), ("--back-to", "0049", "--wait")])
def test_what_cannot_be_done_together_is_refused(shell, typed):
    assert "leave out" in shell.run("migrate", *typed).stderr


def test_a_way_back_that_does_not_exist_is_said_in_one_sentence(shell):
    assert "restore a backup of before the upgrade" in shell.complaint("migrate", "--back-to", "0001")


def test_migrating_says_before_it_begins_what_follows(shell):
    go_back(shell)

    assert shell.run("migrate").stderr.startswith(f"The database is at revision {OLDEST_BACK}; ")


NOWHERE = "postgresql://cratewire@127.0.0.1:1/cratewire"


class Stubborn(Exception):
    """Raised instead of another pause."""


def migrated(settings, reported, pause=None):
    return migrate_when_ready(settings, reported.append, pause or _no_pause)


def _no_pause(_seconds):
    raise Stubborn


@pytest.fixture
def settings(tmp_path):
    return Settings.from_environment({"REDIS_URL": "redis://127.0.0.1:1/0"}, data_dir=tmp_path / "data")


def test_a_database_that_answers_is_migrated_at_once(settings):
    reported = []

    assert migrated(settings, reported) == newest_revision() == current_revision(settings.database_url)
    assert reported == []


def test_a_server_that_is_away_is_waited_for_and_said_once(settings):
    reported, pauses = [], []

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 4:
            raise Stubborn

    with pytest.raises(Stubborn):
        migrated(replace(settings, database_url=NOWHERE), reported, pause)

    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert [line.partition(";")[0] for line in reported] == ["the database cannot be migrated yet (OperationalError)"]


def test_a_directory_that_cannot_be_made_is_waited_for(settings, tmp_path):
    (tmp_path / "in the way").write_text("")
    reported = []

    def pause(_seconds):
        (tmp_path / "in the way").unlink()

    moved = replace(settings, data_dir=tmp_path / "in the way" / "data")
    assert migrated(moved, reported, pause) == newest_revision()
    assert "NotADirectoryError" in reported[0]


def test_a_database_of_a_newer_version_is_not_waited_for(settings):
    migrated(settings, [])
    engine = make_engine(settings.database_url)
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = 'r9999'")
    engine.dispose()

    with pytest.raises(Misconfigured, match="newer version"):
        migrated(settings, [])


@pytest.fixture
def guarded(empty_postgres):
    """The URL of a user whose password the server requires."""
    with psycopg.connect(empty_postgres, autocommit=True) as conn:
        conn.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
        hba = Path(conn.execute("SHOW hba_file").fetchone()[0])
        before = hba.read_text()
        hba.write_text("local all guarded scram-sha-256\n" + before)
        conn.execute("SELECT pg_reload_conf()")
        yield make_url(empty_postgres).set(username="guarded")
        hba.write_text(before)
        conn.execute("SELECT pg_reload_conf()")
        conn.execute("DROP ROLE guarded")


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_refused_password_is_not_waited_for(settings, guarded, password):
    url = guarded.set(password=password).render_as_string(hide_password=False)

    with pytest.raises(Misconfigured, match="refuses the user or the password"):
        migrated(replace(settings, database_url=url), [])


def test_no_password_is_in_what_is_said(settings):
    reported = []

    with pytest.raises(Stubborn):
        migrated(replace(settings, database_url="postgresql://cratewire:s3cret-pass@127.0.0.1:1/x"), reported)

    assert "s3cret" not in "".join(reported)


def test_a_version_that_was_not_rehearsed_does_not_migrate_where_that_is_wanted(shell, installed, monkeypatch):
    installed.connect({})
    with writing(installed.process.engine) as conn:
        conn.execute(delete(StartedRelease))
        note_release(conn, "another", "0.0.9", NOW)
    assert "at revision" in shell.said("migrate")
    with writing(installed.process.engine) as conn:
        conn.execute(delete(StartedRelease).where(StartedRelease.release != "another"))
    monkeypatch.setenv("CRATEWIRE_REHEARSED_UPGRADES", "true")

    assert "was not rehearsed for acme" in shell.complaint("migrate")
