"""`cratewire migrate` warns of a secret key that does not fit the ledger."""

from __future__ import annotations


def test_migrating_with_another_key_warns(shell, installed, monkeypatch):
    installed.connect({"api_key": "k"})
    monkeypatch.setenv("CRATEWIRE_SECRET_KEY", "a-key-that-somebody-made-up")

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
