"""The doctor's findings about PostgreSQL and SQLite databases that cannot be used."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import select, update

from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.migrations import migrate
from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.ledger.schema.core import StoreConnection
from pipeline.ledger.schema.fences import Fence
from pipeline.ledger.store_apis import save_store_api
from pipeline.ledger.stores import save_store
from pipeline.operations.reencrypt import reencrypt_all
from pipeline.settings import Settings
from receiver.doctor.database import check_database, check_encrypted_values, check_secret_key
from tests.builders import NOW
from tests.installation import KEY
from tests.servers.pgbouncer import pgbouncer
from tests.servers.postgres import postgres


@pytest.fixture
def settings(tmp_path):
    return Settings.from_environment({"REDIS_URL": "redis://127.0.0.1:1/0"}, data_dir=tmp_path)


def of(settings, url):
    return list(check_database(replace(settings, database_url=url)))


def database(settings, url):
    return next(one for one in of(settings, url) if one.name == "database")


@pytest.fixture
def limited(empty_postgres):
    """The URL for a role with all privileges, and a connection that can revoke them."""
    with psycopg.connect(empty_postgres, autocommit=True) as admin:
        admin.execute("CREATE ROLE limited LOGIN")
        admin.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO limited")
        admin.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO limited")
        yield empty_postgres.replace("cratewire@", "limited@"), admin
        admin.execute("DROP OWNED BY limited")
        admin.execute("DROP ROLE limited")


def test_a_writable_database_is_ok_and_the_check_leaves_no_data(settings, database_url):
    assert database(settings, database_url).state == "ok"
    assert database(settings, database_url).state == "ok"

    engine = make_engine(database_url)
    with reading(engine) as conn:
        kept = {table.name for table in list_all_tables() if conn.execute(select(table).limit(1)).first()}
        names = conn.execute(select(Fence.name)).scalars().all()
    engine.dispose()
    assert (kept, names) == ({"fences"}, ["doctor"])


@pytest.mark.parametrize(
    ("change", "right", "name"),
    [
        ("REVOKE INSERT ON facts FROM limited", "INSERT", "facts"),
        ("REVOKE UPDATE ON deliveries FROM limited", "UPDATE", "deliveries"),
        ("REVOKE USAGE ON SEQUENCE events_id_seq FROM limited", "USAGE", "events_id_seq"),
    ],
)
def test_a_right_that_is_missing_is_named_with_its_table(settings, limited, change, right, name):
    url, admin = limited
    admin.execute(change)

    found = database(settings, url)

    assert (found.state, f"{right} on {name}" in found.says) == ("wrong", True)
    assert f"GRANT {right} ON {'SEQUENCE ' if right == 'USAGE' else ''}{name}" in found.advice


def test_a_database_that_takes_no_writes_is_wrong_and_says_what_to_change(settings, limited):
    url, admin = limited
    admin.execute("ALTER ROLE limited SET default_transaction_read_only = on")

    found = database(settings, url)

    assert (found.state, found.says.startswith("the database takes no writes (25006")) == ("wrong", True)
    assert "primary" in found.advice


def test_another_encoding_is_refused_with_the_way_to_a_right_one(settings, postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE narrow2 ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        found = database(settings, postgres_url.replace("/postgres?", "/narrow2?"))
        admin.execute("DROP DATABASE narrow2 WITH (FORCE)")

    assert (found.state, "LATIN1" in found.says, "createdb --encoding=UTF8" in found.advice) == ("wrong", True, True)


def test_a_server_that_does_not_sync_is_wrong(settings, empty_postgres):
    found = [one for one in of(settings, empty_postgres) if one.name == "database durability"]

    assert [(one.state, one.says) for one in found] == [("wrong", "fsync is off"), ("wrong", "full_page_writes is off")]


@pytest.mark.slow
def test_a_server_that_syncs_is_sound_through_a_pooler_too(settings):
    with postgres("fsync=on", "full_page_writes=on") as url, pgbouncer(url) as pooled:
        migrate(url)
        states = {one.name: one.state for one in of(settings, pooled)}

    assert states == {"database": "ok", "database durability": "ok"}


OTHER = "an-invented-secret-key"


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


def test_values_of_an_earlier_version_are_counted_until_they_are_encrypted_again(installed):
    installed.connect({"api_key": "k"})
    settings = installed.process.settings
    with writing(installed.process.engine) as conn:
        conn.execute(update(StoreConnection).values(config=encrypt([KEY], {"api_key": "k"})))

    [found] = check_encrypted_values(settings)
    assert (found.state, found.says) == ("note", "1 of an earlier version do not say which row they belong to")
    with writing(installed.process.engine) as conn:
        reencrypt_all(conn, [KEY])

    [found] = check_encrypted_values(settings)
    assert found.state == "ok"


def test_a_value_of_an_earlier_version_that_was_put_there_after_all_were_encrypted_again_is_wrong(installed):
    installed.connect({"api_key": "k"})
    with writing(installed.process.engine) as conn:
        reencrypt_all(conn, [KEY])
        conn.execute(update(StoreConnection).values(config=encrypt([KEY], {"api_key": "k"})))

    [found] = check_encrypted_values(installed.process.settings)

    assert (found.state, "was run" in found.says) == ("wrong", True)
