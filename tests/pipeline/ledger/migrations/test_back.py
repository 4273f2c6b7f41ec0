"""The way back: what was compressed is as the version before wrote it, and nothing that was decided is lost."""

from __future__ import annotations

import json
import zlib

import pytest
from sqlalchemy import insert, text

from pipeline.core.errors import Misconfigured
from pipeline.infra.compression import NEWEST_DICTIONARY, compress
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.migrations import OLDEST_BACK, migrate, migrate_back
from pipeline.ledger.revision import current_revision, newest_revision
from pipeline.ledger.schema import core
from pipeline.ledger.schema.connection_people import ConnectionPeople
from pipeline.ledger.schema.dictionaries import Dictionary
from pipeline.ledger.sql.packed_json import pack_column
from pipeline.ledger.stores import save_store
from tests.builders import NOW
from tests.pipeline.ledger.sql.test_arrays import event

VALUE = {"total": [1, 2.5, None, True], "name": "Zoë 😀", "quote": "\"'\\"}
MORE_THAN_A_SLICE = 1_003


@pytest.fixture
def ledger(empty_url):
    """A ledger with a store, a connection, and events of which the first is not compressed."""
    migrate(empty_url)
    engine = make_engine(empty_url)
    with writing(engine) as conn:
        store = save_store(conn, "acme", NOW)
        save_connection(conn, NewConnection(store.id, "customerio", "1", b""), NOW)
        conn.execute(insert(core.Event), [event(1, **pack_column("data", VALUE, None))])
        packed = pack_column("data", VALUE, NEWEST_DICTIONARY)
        conn.execute(insert(core.Event), [event(number, **packed) for number in range(2, MORE_THAN_A_SLICE)])
        bodies = [{"event_id": 1, "raw": compress(b"raw")}, {"event_id": 2, "raw": compress(b"raw", NEWEST_DICTIONARY)}]
        conn.execute(insert(core.Body), bodies)
        conn.execute(insert(Dictionary), {"id": NEWEST_DICTIONARY, "content": b"", "used_from": 0})
    yield engine
    engine.dispose()


def url_of(engine):
    return engine.url.render_as_string(hide_password=False)


def read(engine, query):
    with reading(engine) as conn:
        return conn.execute(text(query)).all()


def test_what_was_compressed_is_json_again(ledger):
    migrate_back(url_of(ledger), OLDEST_BACK)

    stored = [value for (value,) in read(ledger, "SELECT CAST(data AS TEXT) FROM events")]
    assert len(stored) == MORE_THAN_A_SLICE - 1
    assert [one for one in stored if json.loads(one) != VALUE] == []


def test_bodies_are_compressed_as_before(ledger):
    migrate_back(url_of(ledger), OLDEST_BACK)

    assert [zlib.decompress(raw) for (raw,) in read(ledger, "SELECT raw FROM bodies")] == [b"raw", b"raw"]


def test_the_tables_are_those_of_that_revision_and_can_be_upgraded_again(ledger):
    migrate_back(url_of(ledger), OLDEST_BACK)
    before = current_revision(url_of(ledger))
    migrate(url_of(ledger))

    assert (before, current_revision(url_of(ledger))) == (OLDEST_BACK, newest_revision())
    assert read(ledger, "SELECT count(*) FROM events WHERE packed IS NULL") == [(MORE_THAN_A_SLICE - 1,)]


def test_what_a_connection_leaves_out_is_never_sent_by_going_back(ledger):
    with writing(ledger) as conn:
        conn.execute(text("UPDATE connections SET mapping = '{}'"))

    with pytest.raises(Misconfigured, match=r"what 1 connections leave out \(connections 1\)"):
        migrate_back(url_of(ledger), OLDEST_BACK)

    assert current_revision(url_of(ledger)) == newest_revision()
    assert len(read(ledger, "SELECT packed FROM events WHERE packed IS NOT NULL")) == MORE_THAN_A_SLICE - 2


def test_people_who_are_being_sent_are_not_left_halfway(ledger):
    row = {"connection_id": 1, "state": "running", "started_at": NOW, "ended_at": None}
    with writing(ledger) as conn:
        conn.execute(insert(ConnectionPeople), row | dict.fromkeys(("cursor", "looked_at", "written", "total"), 0))

    with pytest.raises(Misconfigured, match="people of 1 connections are still being sent"):
        migrate_back(url_of(ledger), OLDEST_BACK)


@pytest.mark.parametrize("revision", ["0048", "0001", "head", "9999", ""])
def test_a_revision_without_a_way_back_needs_a_backup(ledger, revision):
    with pytest.raises(Misconfigured, match="restore a backup"):
        migrate_back(url_of(ledger), revision)


def test_a_revision_that_is_not_behind_the_database_is_refused(ledger):
    migrate_back(url_of(ledger), OLDEST_BACK)

    with pytest.raises(Misconfigured, match="is not behind it"):
        migrate_back(url_of(ledger), newest_revision())
