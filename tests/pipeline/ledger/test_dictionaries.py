"""When rows are compressed with a dictionary: at once in a new ledger, an hour after an upgrade in another."""

from __future__ import annotations

from sqlalchemy import event as event_api
from sqlalchemy import select

from pipeline.infra.compression import NEWEST_DICTIONARY, decompress, is_zstd, read_dictionary
from pipeline.ledger.dictionaries import UPGRADE_US, find_dictionary
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.core import Body, Delivery, Event
from pipeline.ledger.schema.dictionaries import Dictionary
from tests.builders import NOW, order
from tests.pipeline.ledger.sql.test_arrays import EVENTS, event


def find(engine, now):
    with writing(engine) as conn:
        return find_dictionary(conn, now)


def add_event(engine):
    with writing(engine) as conn:
        conn.execute(EVENTS.insert(), [event(1_000)])


def test_a_new_ledger_uses_it_at_once_and_keeps_it(recorder):
    assert find(recorder.engine, NOW) == NEWEST_DICTIONARY
    assert [(row.id, row.content) for row in recorder.rows(Dictionary)] == [
        (NEWEST_DICTIONARY, read_dictionary(NEWEST_DICTIONARY))
    ]


def test_a_ledger_with_events_waits_until_the_version_before_is_gone(recorder):
    add_event(recorder.engine)

    assert find(recorder.engine, NOW) is None
    assert find(recorder.engine, NOW + UPGRADE_US - 1) is None
    assert find(recorder.engine, NOW + UPGRADE_US) == NEWEST_DICTIONARY


def test_a_dictionary_that_was_not_committed_is_put_in_again(recorder):
    with recorder.engine.connect() as conn, conn.begin() as transaction:
        assert find_dictionary(conn, NOW) == NEWEST_DICTIONARY
        assert find_dictionary(conn, NOW) == NEWEST_DICTIONARY
        transaction.rollback()
    assert recorder.rows(Dictionary) == []

    find(recorder.engine, NOW + 1)

    assert len(recorder.rows(Dictionary)) == 1


def test_it_is_asked_for_once(recorder):
    asked = []
    event_api.listen(recorder.engine, "before_cursor_execute", lambda _, __, text, *___: asked.append(text))
    for later in range(3):
        find(recorder.engine, NOW + later)

    assert sum("FROM dictionaries" in text for text in asked) == 2  # when it is put in, and once it is committed


def test_a_recorded_hook_is_compressed(recorder):
    recorder.record_one("order_new", order())

    with reading(recorder.engine) as conn:
        packed = [*conn.execute(select(Event.packed)).scalars(), *conn.execute(select(Delivery.packed)).scalars()]
        (raw,) = conn.execute(select(Body.raw)).scalars()
    assert all(is_zstd(one) for one in packed)
    assert decompress(raw) == b"raw"
    assert is_zstd(raw)


def test_before_that_the_version_before_can_read_what_is_recorded(recorder):
    add_event(recorder.engine)

    recorder.record_one("order_new", order())

    with reading(recorder.engine) as conn:
        texts = conn.exec_driver_sql("SELECT CAST(message AS TEXT) FROM deliveries").scalars().all()
        (raw,) = conn.execute(select(Body.raw)).scalars()
    assert all("customer_id" in text for text in texts)
    assert not is_zstd(raw)
