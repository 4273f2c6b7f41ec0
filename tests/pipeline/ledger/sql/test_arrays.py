"""Columns as PostgreSQL's arrays: what one statement writes is what a statement for each row would have written."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Float, MetaData, Table, insert
from sqlalchemy.exc import DataError
from sqlalchemy.schema import Column

from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.ledger.schema.fences import Fence
from pipeline.ledger.sql.arrays import build_arrays, find_codecs
from pipeline.ledger.sql.bulk import insert_rows, update_rows, upsert
from tests.builders import NOW

PEOPLE, EVENTS, BODIES, FENCES = core.Person.__table__, core.Event.__table__, core.Body.__table__, Fence.__table__


def person(number, **more):
    row = {"store_id": 1, "customer_id": number, "email": None, "attributes": {}, "known_at": 0, "untold_since": None}
    return {**row, "withheld": None, "created_at": NOW, **more}


def event(number, **more):
    times = dict.fromkeys(("occurred_at", "received_at", "decoded_at", "validated_at", "recorded_at"), NOW)
    row = {"id": number, "store_id": 1, "name": "order_new", "happening": f"h{number}", "ulid": f"u{number}"}
    row |= {"receipt": f"r{number}", "source": "hook", "subject": None, "subject_id": None, "form": "A"}
    row |= {"is_test": False, "outcome": "forwarded", "notes": [], "data": {}, "unknown": [], "duplicates": 0}
    return {**row, **times, **more}


def values(recorder, model):
    return [{**row._asdict()} for row in recorder.rows(model)]


@pytest.mark.parametrize(
    "odd",
    [
        {"data": {"total": [1, 2.5, None, True, {"é": "ü"}]}},
        {"subject": "order", "subject_id": -(2**63)},
        {"subject_id": 2**63 - 1},
        {"name": "ümläut 日本 😀"},
        {"name": "", "receipt": "', \\ {\"} %s"},
        {"is_test": True},
    ],
    ids="-".join,
)
def test_values_are_stored_as_one_statement_for_each_row_stores_them(recorder, odd):
    rows = [event(1, **odd), event(2, happening="other"), event(3, **odd)]
    with writing(recorder.engine) as conn:
        insert_rows(conn, EVENTS, rows)
    ours = values(recorder, core.Event)
    with writing(recorder.engine) as conn:
        conn.execute(EVENTS.delete())
        conn.execute(insert(EVENTS), rows)

    assert ours == values(recorder, core.Event)


def test_what_json_may_not_hold_in_a_database_is_left_out(recorder):
    with writing(recorder.engine) as conn:
        insert_rows(conn, EVENTS, [event(1, data={"name": "a\0b", "half": "\ud83d"})])

    assert values(recorder, core.Event)[0]["data"]["name"] == "ab"


def test_bytes_of_any_kind_come_back_as_they_were(recorder):
    raw = [bytes(range(256)), b"", b'\\x00{"}']
    with writing(recorder.engine) as conn:
        insert_rows(conn, EVENTS, [event(number) for number in range(3)])
        insert_rows(conn, BODIES, [{"event_id": number, "raw": each} for number, each in enumerate(raw)])

    assert [row["raw"] for row in values(recorder, core.Body)] == raw


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_a_number_that_does_not_fit_its_column_is_refused(number):
    codecs = find_codecs(FENCES, ("token",))
    assert codecs is not None

    with pytest.raises(OverflowError):
        build_arrays(codecs, [[1, number]])


def test_a_text_with_a_nul_is_refused_on_postgresql(recorder):
    if recorder.engine.dialect.name != "postgresql":
        pytest.skip("SQLite stores it")

    with pytest.raises(DataError), writing(recorder.engine) as conn:
        insert_rows(conn, FENCES, [{"name": "a\0b", "token": 1}])


def test_a_row_that_is_given_twice_is_counted_twice(recorder):
    rows = [{"name": name, "token": token} for name, token in (("a", 1), ("b", 5), ("a", 9))]
    with writing(recorder.engine) as conn:
        upsert(conn, FENCES, rows, update_columns=(), increment_column="token")

    assert {row.name: row.token for row in recorder.rows(Fence)} == {"a": 2, "b": 5}


def test_of_a_row_that_is_given_twice_the_last_values_stay(recorder):
    rows = [{"name": name, "token": token} for name, token in (("a", 1), ("b", 5), ("a", 9))]
    with writing(recorder.engine) as conn:
        upsert(conn, FENCES, rows, update_columns=("token",))

    assert {row.name: row.token for row in recorder.rows(Fence)} == {"a": 9, "b": 5}


def test_rows_that_exist_are_left_as_they_are_or_updated(recorder):
    with writing(recorder.engine) as conn:
        insert_rows(conn, FENCES, [{"name": "a", "token": 1}, {"name": "b", "token": 1}])
        upsert(conn, FENCES, [{"name": "a", "token": 7}, {"name": "c", "token": 7}], update_columns=())
        upsert(conn, FENCES, [{"name": "b", "token": 8}, {"name": "d", "token": 8}], update_columns=("token",))

    assert {row.name: row.token for row in recorder.rows(Fence)} == {"a": 1, "b": 8, "c": 7, "d": 8}


def test_rows_are_updated_by_their_ids_and_no_others(recorder):
    with writing(recorder.engine) as conn:
        insert_rows(conn, PEOPLE, [person(number) for number in (1, 2, 3)])
    first, second, third = recorder.rows(core.Person)
    with writing(recorder.engine) as conn:
        changed = [{"id": third.id, "email": "c@x.io", "attributes": {"a": 1}}]
        update_rows(conn, PEOPLE, [*changed, {"id": first.id, "email": None, "attributes": {}}])

    assert [(row.id, row.email, row.attributes) for row in recorder.rows(core.Person)] == [
        (first.id, None, {}),
        (second.id, None, {}),
        (third.id, "c@x.io", {"a": 1}),
    ]


def test_every_column_of_the_ledger_can_be_an_array():
    unknown = [
        f"{table.name}.{column.name}"
        for table in list_all_tables()
        for column in table.columns
        if find_codecs(table, (column.name,)) is None
    ]

    assert unknown == []


def test_a_column_of_another_type_is_left_to_sqlalchemy():
    assert find_codecs(Table("t", MetaData(), Column("x", Float)), ("x",)) is None


def test_null_in_json_is_a_value(recorder):
    with writing(recorder.engine) as conn:
        insert_rows(conn, EVENTS, [event(1, data=None)])
        text = conn.exec_driver_sql("SELECT CAST(data AS TEXT) FROM events").scalar_one()

    assert json.loads(text) is None
