"""What a migration says before it begins: which revisions follow, what they read, and how long that takes."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest
from sqlalchemy import event, text

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.migrations import migrate, upgrade
from pipeline.ledger.migrations.costs import COSTS, find_table_read
from pipeline.ledger.migrations.plan import Plan, Step, describe_plan, estimate_steps, format_estimate, read_plan
from pipeline.ledger.revision import current_revision, list_revisions, newest_revision

BEFORE_INDEXES = "0027"


def upgrade_to(url, revision):
    engine = make_engine(url)
    with engine.connect() as conn:
        upgrade(conn, revision)
    return engine


def test_every_growing_table_that_a_revision_reads_has_a_measured_cost(empty_url):
    """Measure a new one: `python -m bench.migrations`. A table that the revision itself creates is empty."""
    found, created = defaultdict(set), set()
    engine = make_engine(empty_url)
    for revision in list_revisions():

        def note(_conn, _cursor, statement, *_, revision=revision):
            if made := re.match(r"\s*CREATE TABLE (\w+)", statement):
                created.add(made[1])
            elif (table := find_table_read(statement)) and table not in created:
                found[revision].add(table)

        with engine.connect() as conn:
            event.listen(conn, "before_cursor_execute", note)
            upgrade(conn, revision)
        created.clear()
    engine.dispose()
    dialect = "sqlite" if empty_url.startswith("sqlite") else "postgresql"
    measured = {one: {table for table, by in tables.items() if dialect in by} for one, tables in COSTS.items()}

    assert found == {one: tables for one, tables in measured.items() if tables}


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("CREATE INDEX ix_a ON events (id) WHERE id > 1", "events"),
        ("CREATE UNIQUE INDEX uq_a ON deliveries (id)", "deliveries"),
        ("INSERT INTO counts SELECT count(*) FROM events", "events"),
        ("\n    WITH a AS (SELECT 1 FROM events) INSERT INTO b SELECT 1 FROM a", "events"),
        ("UPDATE people SET withheld = NULL", "people"),
        ("ALTER TABLE events ADD COLUMN packed BLOB", None),
        ("CREATE INDEX ix_a ON stores (id)", None),
    ],
)
def test_a_statement_reads_the_table_that_it_goes_through(statement, table):
    assert find_table_read(statement) == table


def test_a_database_that_does_not_exist_is_new_and_stays_away(tmp_path):
    plan = read_plan(f"sqlite:///{tmp_path}/new.db")

    assert (plan.revision, len(plan.steps)) == (None, len(list_revisions()))
    assert list(tmp_path.iterdir()) == []
    assert list(describe_plan(plan)) == []


def test_a_database_of_this_version_needs_nothing(empty_url):
    migrate(empty_url)

    plan = read_plan(empty_url)

    assert plan == Plan(newest_revision(), ())
    assert list(describe_plan(plan)) == []


def test_the_rows_of_this_ledger_are_counted(empty_url):
    engine = upgrade_to(empty_url, BEFORE_INDEXES)
    with writing(engine) as conn:
        conn.execute(text("INSERT INTO accounts (name, created_at) VALUES ('a', 1)"))
        conn.execute(text(STORE))
        for number in range(3):
            conn.execute(text(EVENT), {"number": number})
        conn.execute(text("ANALYZE"))
    engine.dispose()

    (step,) = [step for step in read_plan(empty_url).steps if step.revision == "0028"]

    assert dict(step.rows) == {"events": 3}
    assert step.seconds > 0


STORE = """
    INSERT INTO stores (account_id, name, token_version, currency, forward_also, forward_tests, created_at)
    VALUES (1, 'a', 1, 'USD', '[]', false, 1)
"""
EVENT = """
    INSERT INTO events (store_id, name, happening, ulid, receipt, source, form, is_test, outcome, notes, data, unknown,
    duplicates, occurred_at, received_at, decoded_at, validated_at, recorded_at) VALUES (1, 'order_new',
    'h' || :number, 'u' || :number, 'r', 'hook', 'A', false, 'forwarded', '[]', '{}', '[]', 0, 1, 1, 1, 1, 1)
"""


def test_twice_the_rows_take_twice_the_time():
    few, many = (estimate_steps(["0029"], {"events": count}, "postgresql")[0] for count in (1_000_000, 2_000_000))

    assert 0 < 2 * few.seconds == many.seconds


def test_a_database_of_a_newer_version_is_refused(empty_url):
    migrate(empty_url)
    engine = make_engine(empty_url)
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()

    with pytest.raises(Misconfigured, match="newer version of Cratewire: it is at revision 9999"):
        read_plan(empty_url)


def test_a_plan_is_read_while_another_process_migrates(empty_url):
    """It holds locks that a count of rows would wait for."""
    engine = upgrade_to(empty_url, BEFORE_INDEXES)
    with engine.connect() as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        else:
            conn.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")

        assert read_plan(empty_url).revision == BEFORE_INDEXES
    engine.dispose()


LONG = Step("0028", "Indexes of the feed.", {"events": 1_000_000, "deliveries": 2_000_000}, 70.0)
SHORT = Step("0030", "Tokens of the API.")


def test_what_takes_long_is_named_with_its_rows_and_the_rest_is_counted():
    said = list(describe_plan(Plan("0027", (LONG, SHORT))))

    assert said[:3] == [
        "The database is at revision 0027; 2 revisions follow, up to 0030.",
        "  0028, about 1 min (1,000,000 rows of events, 2,000,000 rows of deliveries): Indexes of the feed.",
        "The other takes no noticeable time.",
    ]
    assert said[3].startswith("All of it takes about 1 min")
    assert len(said) == 4


@pytest.mark.parametrize(("steps", "sentence"), [((SHORT,), "It takes"), ((SHORT, SHORT), "They take")])
def test_what_takes_no_time_says_so(steps, sentence):
    *_, last = describe_plan(Plan("0029", steps))

    assert last == f"{sentence} no noticeable time."


def test_a_file_that_is_rewritten_once_takes_time_too():
    *_, last = describe_plan(Plan("0029", (SHORT,), rewritten_bytes=10**9, rewrite_seconds=14.0))

    assert last.startswith("All of it takes about 14 s, in which the file of 1.0 GB is rewritten once")


def test_it_is_said_before_it_begins(tmp_path):
    url = f"sqlite:///{tmp_path}/old.db"
    upgrade_to(url, BEFORE_INDEXES).dispose()
    received = []

    migrate(url, lambda sentence: received.append((current_revision(url), sentence)))

    assert received[0][0] == BEFORE_INDEXES
    assert received[0][1].startswith("The database is at revision 0027; ")


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "about 1 s"), (59, "about 59 s"), (90, "about 2 min")])
def test_an_estimate_is_as_rough_as_it_is_known(seconds, text):
    assert format_estimate(seconds) == text
