"""A JSON column reads the same whether its value is stored as JSON or packed."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, union_all, update

from pipeline.infra.compression import NEWEST_DICTIONARY
from pipeline.ledger.deliveries.stopped import EMPTY_MESSAGE
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.core import Event
from pipeline.ledger.sql.packed_json import pack_column
from tests.pipeline.ledger.sql.test_arrays import event

VALUE = {"total": [1, 2.5, None, True, 2**70], "name": "Zoë \u2028 😀", "quote": "\"'\\"}


@pytest.fixture
def rows(recorder):
    """Two events of the same data, and which is packed."""
    with writing(recorder.engine) as conn:
        conn.execute(insert(Event), [event(1, **pack_column("data", VALUE, None))])
        conn.execute(insert(Event), [event(2, **pack_column("data", VALUE, NEWEST_DICTIONARY))])
    return recorder


def read(recorder, query):
    with reading(recorder.engine) as conn:
        return conn.execute(query).all()


def test_both_are_selected_as_the_value(rows):
    assert read(rows, select(Event.id, Event.data).order_by(Event.id)) == [(1, VALUE), (2, VALUE)]


def test_one_of_them_is_packed_and_its_json_null(rows):
    with reading(rows.engine) as conn:
        texts = conn.exec_driver_sql("SELECT CAST(data AS TEXT) FROM events ORDER BY id").scalars().all()

    assert texts[1] == "null" != texts[0]


def test_a_label_names_the_value(rows):
    assert [row.what for row in read(rows, select(Event.data.label("what")))] == [VALUE, VALUE]


def test_a_whole_table_is_selected_with_the_value(rows):
    assert [row.data for row in read(rows, select(Event.__table__))] == [VALUE, VALUE]


def test_an_alias_reads_its_own_row(rows):
    other = Event.__table__.alias()
    joined = select(Event.data, other.c.data).where(Event.id == other.c.id - 1)

    assert read(rows, joined) == [(VALUE, VALUE)]


def test_several_selects_in_one_read_the_value(rows):
    parts = (select(Event.data).where(Event.id == number) for number in (1, 2))

    assert [data for (data,) in read(rows, union_all(*parts))] == [VALUE, VALUE]


def test_a_row_that_is_missing_reads_as_none(rows):
    none = select(core.Store.id, Event.data).join(Event, Event.id == 3, isouter=True)

    assert read(rows, none) == [(1, None)]


def test_what_an_update_returns_is_the_value(rows):
    with writing(rows.engine) as conn:
        changed = update(Event).values(duplicates=1).returning(Event.data)
        assert [data for (data,) in conn.execute(changed)] == [VALUE, VALUE]


def test_a_change_without_packing_is_read(rows):
    with writing(rows.engine) as conn:
        conn.execute(update(Event).values(data={"a": 1}, packed=None))

    assert [row.data for row in read(rows, select(Event.data))] == [{"a": 1}, {"a": 1}]


def test_what_is_packed_equals_no_json(rows):
    assert read(rows, select(Event.id).where(Event.data == EMPTY_MESSAGE)) == []
    assert read(rows, select(Event.id).where(Event.data != EMPTY_MESSAGE).order_by(Event.id)) == [(1,), (2,)]


def test_data_that_names_no_dictionary_is_small_all_the_same(rows):
    (packed,) = (row.packed for row in rows.rows(Event) if row.packed)

    assert len(packed) < len(str(VALUE)) + 20
