"""Migrations create the tables that the models declare, on both databases, however often they run."""

from __future__ import annotations

import multiprocessing

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from pipeline.core.errors import Misconfigured
from pipeline.ledger import migrations
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.migrations import migrate
from pipeline.ledger.revision import current_revision, is_current, newest_revision
from pipeline.ledger.schema.all_tables import list_all_tables


def test_models_and_migrations_agree(engine):
    with reading(engine) as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, list_all_tables()[0].metadata) == []


def test_every_partial_index_of_the_models_is_partial_in_the_database(engine):
    """Alembic compares an index's columns, not its condition."""
    catalogue = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    }
    with reading(engine) as conn:
        partial = {name for name, made_by in conn.exec_driver_sql(catalogue[conn.dialect.name]) if " WHERE " in made_by}

    assert partial == {
        "ix_alarms_unclosed",
        "uq_data_changes_open",
        "ix_connection_people_running",
        "ix_rehearsals_open",
        "ix_deliveries_open",
        "ix_events_late",
        "ix_deliveries_dead",
        "ix_deliveries_giving_way",
        "ix_people_untold",
        "ix_people_withheld",
        "ix_consent_decisions_person_id",
        "ix_fulfilment_orders_acknowledge",
        "ix_fulfilment_orders_export_id",
        "ix_fulfilment_orders_payload",
        "ix_fulfilment_orders_update",
        "ix_fulfilment_work_open",
        "ix_dead_hooks_waiting",
        "ix_lookups_waiting",
        "ix_dead_hooks_revoked",
        "ix_dead_hooks_internal",
        "ix_regulation_destinations_open",
        "ix_events_recovered",
        "ix_events_repeated",
        "ix_events_repeats",
        "ix_events_replayed",
        "ix_events_kept",
        "ix_deliveries_waiting_events",
        "ix_deliveries_dead_events",
        "ix_deliveries_stopped_events",
        "ix_dead_hooks_unread",
        "ix_events_tests",
        "ix_mails_asker_created_at",
        "ix_mails_waiting",
        "ix_notices_waiting",
        "ix_replays_working",
        "ix_store_removals_open",
        "ix_backfills_next_step_at",
        "uq_backfills_open",
        "uq_alarms_open",
    }


def test_a_new_database_has_no_revision(empty_url):
    assert current_revision(empty_url) is None


def test_migrating_leads_to_the_newest_revision(empty_url):
    migrate(empty_url)

    assert current_revision(empty_url) == newest_revision()


def test_migrating_again_changes_nothing(empty_url):
    assert migrate(empty_url) == migrate(empty_url)


def test_a_database_is_current_only_once_it_is_migrated(empty_url):
    engine = make_engine(empty_url)
    before = is_current(engine)
    migrate(empty_url)
    after = is_current(engine)
    engine.dispose()

    assert (before, after) == (False, True)


def test_a_database_of_a_newer_version_is_refused(empty_url):
    migrate(empty_url)
    engine = make_engine(empty_url)
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()

    with pytest.raises(Misconfigured, match="newer version"):
        migrate(empty_url)


@pytest.mark.slow
def test_concurrent_processes_migrate_one_after_the_other(empty_url):
    context = multiprocessing.get_context("spawn")
    starters = [context.Process(target=migrate, args=(empty_url,)) for _ in range(2)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join(100)

    assert ([starter.exitcode for starter in starters], current_revision(empty_url)) == ([0, 0], newest_revision())


def test_no_table_issues_an_id_twice(engine):
    """On SQLite only AUTOINCREMENT does: `sqlite_autoincrement=True` for a new table, and for one that is copied."""
    numbered = {table.name for table in list_all_tables() if table.autoincrement_column is not None}
    with reading(engine) as conn:
        if conn.dialect.name == "sqlite":
            made = conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
        else:
            made = conn.exec_driver_sql("SELECT replace(sequencename, '_id_seq', '') FROM pg_sequences")
        found = set(made.scalars())

    assert found == numbered


BEFORE_NUMBERS = "0012"


def migrated_to(url, revision):
    """A database as an older version has left it, with three accounts of which one was deleted."""
    config = migrations._make_config()
    engine = make_engine(url)
    with engine.connect() as conn, conn.begin():
        config.attributes["connection"] = conn
        command.upgrade(config, revision)
        conn.exec_driver_sql("INSERT INTO accounts (name, created_at) VALUES ('a', 1), ('b', 1), ('c', 1)")
        conn.exec_driver_sql("DELETE FROM accounts WHERE name = 'b'")
    return engine


def test_an_older_sqlite_keeps_its_rows_and_continues_its_ids(tmp_path):
    url = f"sqlite:///{tmp_path}/old.db"
    engine = migrated_to(url, BEFORE_NUMBERS)

    migrate(url)

    with writing(engine) as conn:  # a connection that was open all the time
        conn.exec_driver_sql("DELETE FROM accounts WHERE name = 'c'")
        conn.exec_driver_sql("INSERT INTO accounts (name, created_at) VALUES ('d', 1)")
        kept = conn.exec_driver_sql("SELECT id, name FROM accounts ORDER BY id").all()
        sound = conn.exec_driver_sql("PRAGMA integrity_check").scalar_one()
    engine.dispose()
    assert ([tuple(row) for row in kept], sound) == ([(1, "a"), (4, "d")], "ok")


def test_a_member_of_an_older_database_can_become_an_operator(tmp_path):
    url = f"sqlite:///{tmp_path}/old.db"
    engine = migrated_to(url, "0025")
    user = "INSERT INTO users (email, password, active, fs_uniquifier, failures, locked_until, created_at) VALUES"
    with writing(engine) as conn:
        conn.exec_driver_sql(f"{user} ('a@example.com', 'x', 1, 'x', 0, 0, 1)")
        conn.exec_driver_sql("INSERT INTO memberships (account_id, user_id, role, since) VALUES (1, 1, 'owner', 1)")

    migrate(url)

    with writing(engine) as conn:  # a connection that was open all the time
        conn.exec_driver_sql("UPDATE memberships SET role = 'operator'")
        sound = conn.exec_driver_sql("PRAGMA integrity_check").scalar_one()
    engine.dispose()
    assert sound == "ok"


@pytest.mark.parametrize(("deleted", "left"), [("b", [1, 3]), ("%", [3])])
def test_a_migration_that_copies_a_table_keeps_its_largest_id(tmp_path, monkeypatch, deleted, left):
    url = f"sqlite:///{tmp_path}/x.db"
    migrate(url)
    engine = make_engine(url)
    with writing(engine) as conn:
        conn.exec_driver_sql("INSERT INTO accounts (name, created_at) VALUES ('a', 1), ('b', 1)")
        conn.exec_driver_sql("DELETE FROM accounts WHERE name LIKE ?", (deleted,))

    def copies(config, _revision):
        conn = config.attributes["connection"]
        conn.exec_driver_sql("CREATE TABLE copy (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, created_at INTEGER)")
        conn.exec_driver_sql("INSERT INTO copy SELECT id, name, created_at FROM accounts")
        conn.exec_driver_sql("DROP TABLE accounts")
        conn.exec_driver_sql("ALTER TABLE copy RENAME TO accounts")

    monkeypatch.setattr(migrations.command, "upgrade", copies)
    migrate(url)

    with writing(engine) as conn:
        conn.exec_driver_sql("INSERT INTO accounts (name, created_at) VALUES ('c', 1)")
        ids = conn.exec_driver_sql("SELECT id FROM accounts ORDER BY id").scalars().all()
    engine.dispose()
    assert ids == left
