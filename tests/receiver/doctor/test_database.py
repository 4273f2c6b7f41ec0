"""The doctor's findings about PostgreSQL and SQLite databases that cannot be used."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import select

from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.migrations import migrate
from pipeline.ledger.schema.core import Base, Fence
from pipeline.settings import Settings
from receiver.doctor.database import check_database
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
        kept = {table.name for table in Base.metadata.sorted_tables if conn.execute(select(table).limit(1)).first()}
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
