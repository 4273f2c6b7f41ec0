"""What happens to a batch when the ledger refuses one of its hooks, or is unavailable."""

from __future__ import annotations

import errno
import shutil
from contextlib import contextmanager

import psycopg
import pytest
from redis import ConnectionError as RedisAway
from sqlalchemy import event, select
from sqlalchemy.exc import DBAPIError, OperationalError

from pipeline.core.errors import StaleFence
from pipeline.inbox.entry import from_fields
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.schema import core
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch
from tests.pipeline.processing.entries import ORDER, clock, entry
from tests.pipeline.recording.conftest import HookRecorder

REFUSED = "refuse me"


@pytest.fixture
def recorder(engine):
    return HookRecorder(engine)


def batch_of(*entries, token=1):
    batch = validate_batch(decode_batch(entries, token, clock), clock)
    for hook in batch["hooks"]:
        if hook["data"].get("note") == REFUSED:
            hook["decoded_at"] = None  # as a fault of ours might
    return batch


def recorded(engine, *entries, token=1):
    raws = {stored.entry_id: (stored.raw, stored.query) for stored in entries}
    return record(engine, batch_of(*entries, token=token), raws, clock)


def orders(*numbers):
    return [entry({**ORDER, "id": number}, number=number) for number in numbers]


def ids(recorder):
    return sorted(row.subject_id for row in recorder.rows(core.Event))


def refused_order(number=99):
    """A hook that fits its schema and that the ledger cannot take; see `batch_of`."""
    return entry({**ORDER, "id": number, "note": REFUSED}, number=number)


@pytest.fixture
def commits(engine):
    counted = []
    listener = counted.append
    event.listen(engine, "commit", listener)
    yield counted
    event.remove(engine, "commit", listener)


def test_a_batch_is_one_transaction(recorder, commits):
    commits.clear()

    recorded(recorder.engine, *orders(*range(1, 40)))

    assert len(commits) == 1


@pytest.mark.parametrize("place", [0, 3, 7])
def test_a_hook_that_the_ledger_refuses_fails_alone(recorder, place):
    hooks = orders(*range(1, 8))
    hooks.insert(place, refused_order())

    recorded(recorder.engine, *hooks)

    assert ids(recorder) == list(range(1, 8))
    assert [(row.receipt, row.stage, row.reason) for row in recorder.rows(core.DeadHook)] == [
        ("r99", "fan_out", "internal_error")
    ]


def test_the_order_stays_when_a_hook_is_singled_out(recorder):
    recorded(recorder.engine, *orders(1, 2), refused_order(), *orders(3, 4))

    assert [row.subject_id for row in recorder.rows(core.Event)] == [1, 2, 3, 4]


def test_hooks_that_failed_before_are_recorded_once_however_the_batch_is_split(recorder):
    recorded(recorder.engine, entry(b"{", number=50), *orders(1, 2, 3), refused_order())

    assert [(row.receipt, row.times) for row in recorder.rows(core.DeadHook)] == [("r50", 1), ("r99", 1)]


def test_a_ledger_that_is_away_refuses_no_hook():
    away = make_engine("sqlite:////nowhere/at/all.db")

    with pytest.raises(OperationalError):
        recorded(away, *orders(1))


def test_a_connection_that_breaks_in_the_middle_refuses_no_hook(recorder):
    def break_off(conn, cursor, statement, *_):
        if statement.startswith("INSERT INTO events"):
            raise DBAPIError(statement, {}, Exception("gone"), connection_invalidated=True)

    event.listen(recorder.engine, "before_cursor_execute", break_off)
    try:
        with pytest.raises(DBAPIError):
            recorded(recorder.engine, *orders(1))
    finally:
        event.remove(recorder.engine, "before_cursor_execute", break_off)

    assert (recorder.rows(core.DeadHook), recorder.rows(core.Event)) == ([], [])


TROUBLES = {
    "a right that is missing": ("42501", "REVOKE INSERT ON facts FROM {role}"),
    "a table that is missing": ("42P01", "ALTER TABLE facts RENAME TO gone"),
    "a column that is missing": ("42703", "ALTER TABLE facts RENAME COLUMN data TO gone"),
    "a database that takes no writes": ("25006", "ALTER ROLE {role} SET default_transaction_read_only = on"),
}


@pytest.mark.parametrize(("state", "change"), TROUBLES.values(), ids=TROUBLES)
def test_a_server_that_refuses_whatever_is_written_refuses_no_hook(empty_postgres, state, change):
    with role_of(empty_postgres, change) as url:
        engine = make_engine(url)
        with pytest.raises(DBAPIError) as refused:
            recorded(engine, *orders(1, 2, 3))
        engine.dispose()

    assert refused.value.orig.sqlstate == state
    found = make_engine(empty_postgres)
    with reading(found) as db:
        assert [db.execute(select(table)).all() for table in (core.DeadHook, core.Event)] == [[], []]
    found.dispose()


@contextmanager
def role_of(url, change):
    """The same database as another user sees it once something was changed; all is as before when the block ends."""
    changed = change.format(role="limited")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE ROLE limited LOGIN")
        admin.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO limited")
        admin.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO limited")
        # Every hook writes a fact, about a person of a store that is there.
        admin.execute("INSERT INTO accounts (id, name, created_at) VALUES (1, 'x', 1)")
        admin.execute(
            "INSERT INTO stores (account_id, name, token_version, currency, forward_also, forward_tests, created_at) "
            "VALUES (1, 'acme', 1, 'USD', '[]', false, 1)"
        )
        admin.execute(changed)
    try:
        yield url.replace("cratewire@", "limited@")
    finally:
        with psycopg.connect(url, autocommit=True) as admin:
            if changed.startswith("ALTER TABLE"):
                admin.execute(_undone(changed))
            admin.execute("DROP OWNED BY limited")
            admin.execute("DROP ROLE limited")


def _undone(change):
    if "COLUMN" in change:
        return "ALTER TABLE facts RENAME COLUMN gone TO data"
    return "ALTER TABLE gone RENAME TO facts"


@pytest.mark.parametrize("pragma", ["query_only = ON", "max_page_count = 1"])
def test_an_sqlite_that_takes_no_writes_or_is_full_refuses_no_hook(migrated_sqlite, tmp_path, pragma):
    shutil.copy(migrated_sqlite, tmp_path / "x.db")
    engine = make_engine(f"sqlite:///{tmp_path}/x.db")
    event.listen(engine, "begin", lambda conn: conn.exec_driver_sql(f"PRAGMA {pragma}"))

    with pytest.raises(OperationalError):
        recorded(engine, *orders(*range(100)))
    engine.dispose()


MACHINE = [
    OSError(errno.EMFILE, "too many open files"),
    OSError(errno.ENOSPC, "full"),
    MemoryError(),
    RedisAway("gone"),
]


@pytest.mark.parametrize("error", MACHINE, ids=repr)
@pytest.mark.parametrize("place", ["decode.decode", "validate.get_event_row", "record.record_batch"])
def test_an_error_of_the_machine_is_no_hooks_fault_in_any_link(recorder, monkeypatch, place, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(f"pipeline.processing.{place}", fail)

    with pytest.raises(type(error)):
        recorded(recorder.engine, *orders(1))

    assert recorder.rows(core.DeadHook) == []


def test_a_time_outside_the_calendar_is_the_hooks_fault_although_the_system_reports_it(recorder, monkeypatch):
    def fail(*_):
        raise OSError(errno.EOVERFLOW, "Value too large for defined data type")

    monkeypatch.setattr("pipeline.processing.decode.decode", fail)
    recorded(recorder.engine, *orders(1))

    assert [row.reason for row in recorder.rows(core.DeadHook)] == ["internal_error"]


def test_a_holder_that_was_overtaken_records_nothing(recorder):
    recorded(recorder.engine, *orders(1), token=5)

    with pytest.raises(StaleFence):
        recorded(recorder.engine, *orders(2), token=4)

    assert ids(recorder) == [1]


def test_an_empty_inbox_entry_becomes_a_dead_hook(recorder):
    strange = from_fields("7-0", {b"e": b"or\0der", b"q": b"a=\0", b"v": b"many", b"t": b"99999999999999999999"})

    recorded(recorder.engine, strange)

    with reading(recorder.engine) as db:
        assert db.execute(select(core.DeadHook.receipt)).scalars().all() == ["7-0"]


HOSTILE = {
    "a null character": {**ORDER, "note": "a\0b", "x\0y": "\0", "customer": {"id": 1, "email": "a\0@example.com"}},
    "half a character": rb'{"id": 5, "note": "\ud800", "\udc00": 1, "customer": {"id": 3, "email": "q\ud800@e.org"}}',
    "a number no column holds": {**ORDER, "id": 2**70, "total": 10**40, "customer": {"id": -(2**70)}},
    "a time beyond time": {**ORDER, "placed_at": 10**30},
    "the first and the last day": {**ORDER, "placed_at": "9999-12-31T23:59:59Z", "customer": {"id": 1, "x": "0001"}},
    "no number": b'{"id": 5, "zodiac": NaN, "customer": {"id": 3, "email": "a@example.com"}}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_no_body_makes_the_ledger_stumble(recorder, body):
    recorded(recorder.engine, entry(body))

    assert "internal_error" not in [row.reason for row in recorder.rows(core.DeadHook)]
    assert len(recorder.rows(core.Event)) + len(recorder.rows(core.DeadHook)) == 1
