"""The doctor's finding about a secret key that does not fit the ledger."""

from __future__ import annotations

from dataclasses import replace

from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.engine import writing
from pipeline.ledger.store_apis import save_store_api
from pipeline.ledger.stores import save_store
from receiver.doctor.database import check_secret_key
from tests.builders import NOW
from tests.installation import KEY

OTHER = "a-key-that-somebody-made-up"


def look(installed, *keys):
    [finding] = check_secret_key(replace(installed.process.settings, secret_keys=keys))
    return finding


def test_a_key_that_opens_everything_is_all_right(installed):
    installed.connect({"api_key": "k"})

    assert look(installed, OTHER, KEY).state == "ok"


def test_with_nothing_saved_every_key_is_all_right(installed):
    assert look(installed, OTHER).state == "ok"


def test_a_key_that_opens_nothing_is_wrong_and_it_is_said_that_hooks_are_lost(installed):
    installed.connect({"api_key": "k"})

    found = look(installed, OTHER)

    assert (found.state, found.says) == ("wrong", "opens 0 of 1 credentials that are saved")
    assert "lost" in found.advice


def test_a_single_store_saved_with_another_key_is_found(installed):
    installed.connect({"api_key": "k"})
    with writing(installed.process.engine) as conn:
        other = save_store(conn, "moon", NOW)
        save_connection(conn, NewConnection(other.id, "customerio", "1", encrypt([KEY], {})), NOW)
        save_store_api(conn, other.id, encrypt([OTHER], {}), NOW)

    assert look(installed, KEY).says == "opens 2 of 3 credentials that are saved"


def test_a_database_that_does_not_answer_is_reported_by_another_check(installed):
    settings = replace(installed.process.settings, database_url="postgresql://u:p@127.0.0.1:1/nothing")

    assert not [*check_secret_key(settings)]
