"""A new secret key, on the command line."""

from __future__ import annotations

from sqlalchemy import select, update

from pipeline.infra.crypto.encryption import decrypt, encrypt
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.core import StoreConnection
from pipeline.ledger.store_apis import save_store_api
from pipeline.mail.outbox import enqueue_mail
from pipeline.mail.transport import MailMessage
from tests.builders import NOW
from tests.installation import KEY

NEW = "a-newer-key-that-only-tests-know"


def saved(installed):
    """A connection, Cratejoy's keys and a pending mail, all encrypted with the older key."""
    installed.connect({"api_key": "k"})
    with writing(installed.process.engine) as conn:
        save_store_api(conn, 1, encrypt([KEY], {"client_id": "i"}), NOW)
        enqueue_mail(conn, [KEY], MailMessage("bea@example.com", "Hello", "there"), NOW)


def test_everything_is_sealed_with_the_new_key(shell, installed, monkeypatch):
    saved(installed)
    monkeypatch.setenv("CRATEWIRE_SECRET_KEY", f"{NEW},{KEY}")

    done = shell.json("reseal")

    with reading(installed.process.engine) as conn:
        config = conn.execute(select(StoreConnection.config)).scalar_one()
    assert decrypt([NEW], config) == {"api_key": "k"}
    others = {"regulation_keys": 0, "second_factors": 0, "api_tokens": 0, "warehouses": 0, "fulfilment_orders": 0}
    assert done == {"connections": 1, "store_apis": 1, "mails": 1, **others}


def test_with_a_key_missing_nothing_changes(shell, installed, monkeypatch):
    saved(installed)
    monkeypatch.setenv("CRATEWIRE_SECRET_KEY", NEW)

    assert "CRATEWIRE_SECRET_KEY" in shell.complaint("reseal")

    with reading(installed.process.engine) as conn:
        assert decrypt([KEY], conn.execute(select(StoreConnection.config)).scalar_one()) == {"api_key": "k"}


def test_a_human_reads_how_much_it_was(shell, installed):
    saved(installed)

    assert "1 connections" in shell.said("reseal")


def test_a_value_that_was_put_into_another_row_is_refused_and_nothing_changes(shell, installed):
    installed.connect({"api_key": "k"})
    installed.connect({"api_key": "other"}, store="moon")
    with writing(installed.process.engine) as conn:
        first = conn.execute(select(StoreConnection.config).where(StoreConnection.id == 1)).scalar_one()
        conn.execute(update(StoreConnection).where(StoreConnection.id == 2).values(config=first))

    said = shell.complaint("reseal")

    assert "connections 2 of store 2 belongs to connections 1 of store 1" in " ".join(said.split())
    with reading(installed.process.engine) as conn:
        assert set(conn.execute(select(StoreConnection.config)).scalars()) == {first}
