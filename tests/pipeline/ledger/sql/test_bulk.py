"""Many rows through one statement: written as SQLAlchemy would write them, with ids in their order."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.dialects import sqlite

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.fences import Fence
from pipeline.ledger.sql.bulk import _prepare, execute_bulk, insert_returning_ids
from tests.builders import NOW, customer, order

FENCES, PEOPLE = Fence.__table__, core.Person.__table__
HOSTILE = {"name": "a\0b", "\0": [1, 2.5, None, True], "half": "\ud83d", "é": {}}


def person(number, **more):
    return {"store_id": 1, "customer_id": number, "attributes": {}, "known_at": 0, "created_at": NOW, **more}


def execute(recorder, model, statement, rows):
    with writing(recorder.engine) as conn:
        execute_bulk(conn, statement, rows)
    return recorder.rows(model)


def test_values_are_converted_by_the_types_of_their_columns(recorder):
    people = [person(number, attributes=HOSTILE) for number in (1, 2)]
    ours = execute(recorder, core.Person, insert(PEOPLE), people)
    with writing(recorder.engine) as conn:
        conn.execute(delete(PEOPLE))
        conn.execute(insert(PEOPLE), people)

    assert [row.attributes for row in ours] == [row.attributes for row in recorder.rows(core.Person)]
    assert ours[0].attributes["name"] == "ab"


def test_parameters_may_have_other_names_than_columns(recorder):
    first, second = execute(recorder, core.Person, insert(PEOPLE), [person(1), person(2)])
    changed = update(PEOPLE).where(PEOPLE.c.id == bindparam("whose")).values(email=bindparam("email"))
    rows = [{"whose": second.id, "email": "b@example.com"}, {"email": "a@example.com", "whose": first.id}]

    assert [row.email for row in execute(recorder, core.Person, changed, rows)] == ["a@example.com", "b@example.com"]


@pytest.mark.parametrize("default", ["priority", "status", "attempts", "notes"])
def test_a_column_that_rows_leave_out_gets_its_default(recorder, default):
    (owner,) = execute(recorder, core.Person, insert(PEOPLE), [person(1)])
    row = {"store_id": 1, "connection_id": 1, "lane": 0, "person_id": owner.id, "kind": "profile", "message": {}}
    row |= {"priority": 0, "status": "pending", "attempts": 0, "notes": [], "created_at": NOW}
    named = {name: value for name, value in row.items() if name != default}
    (delivery,) = execute(recorder, core.Delivery, insert(core.Delivery.__table__), [named])

    assert getattr(delivery, default) == row[default]


def test_a_statement_may_have_a_single_parameter(recorder):
    execute(recorder, Fence, insert(FENCES), [{"name": "a", "token": 1}, {"name": "b", "token": 2}])
    gone = delete(FENCES).where(FENCES.c.name == bindparam("which"))

    assert [row.name for row in execute(recorder, Fence, gone, [{"which": "a"}])] == ["b"]


def test_without_rows_nothing_is_executed(recorder):
    assert execute(recorder, Fence, insert(FENCES), []) == []


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        (insert(PEOPLE), person(1)),
        (update(PEOPLE).where(PEOPLE.c.id == bindparam("whose")).values(email=bindparam("email")), ["whose", "email"]),
        (delete(FENCES).where(FENCES.c.name == bindparam("which")), ["which"]),
    ],
    ids=["insert", "update", "delete"],
)
def test_sqlite_is_given_rows_without_sqlalchemys_processing_of_each_value(statement, row):
    prepared = _prepare(sqlite.dialect(), statement, tuple(row))

    assert prepared is not None, "this SQLAlchemy names parameters otherwise: recording a hook costs twice the CPU"


def insert_people(recorder, numbers):
    with writing(recorder.engine) as conn:
        return list(insert_returning_ids(conn, PEOPLE, [person(number) for number in numbers]))


def test_ids_grow_in_the_order_of_the_rows(recorder):
    ids = [*insert_people(recorder, range(900, 600, -1)), *insert_people(recorder, [7, 5, 6])]

    assert ids == sorted(set(ids))
    assert [(row.id, row.customer_id) for row in recorder.rows(core.Person)] == list(
        zip(ids, [*range(900, 600, -1), 7, 5, 6], strict=True)
    )


def test_without_rows_there_are_no_ids(recorder):
    assert insert_people(recorder, []) == []
    assert recorder.rows(core.Person) == []


def test_a_gap_is_not_filled(recorder):
    first, second, third = insert_people(recorder, [1, 2, 3])
    with writing(recorder.engine) as conn:
        conn.execute(delete(PEOPLE).where(PEOPLE.c.id == second))

    assert insert_people(recorder, [4])[0] > third > first


def test_an_id_is_never_issued_again_even_if_every_row_is_deleted(recorder):
    first = insert_people(recorder, [1, 2, 3])
    with writing(recorder.engine) as conn:
        conn.execute(delete(PEOPLE))

    assert min(insert_people(recorder, [4])) > max(first)


def test_rows_that_are_numbered_by_the_database_and_by_us_share_no_id(recorder):
    ids = insert_people(recorder, [1, 2])
    with writing(recorder.engine) as conn:
        conn.execute(PEOPLE.insert(), [person(3)])
    ids += insert_people(recorder, [4])

    assert [row.customer_id for row in recorder.rows(core.Person)] == [1, 2, 3, 4]
    assert ids[-1] == recorder.rows(core.Person)[-1].id


@pytest.mark.slow
def test_concurrent_writers_share_no_id(recorder):
    given, failures = [], []

    def number(of):
        try:
            for turn in range(10):
                given.extend(insert_people(recorder, [of + turn]))
        except Exception as error:  # noqa: BLE001 whatever it is, it is what the test is about
            failures.append(error)

    writers = [threading.Thread(target=number, args=(of,)) for of in (100, 200, 300, 400)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert failures == []
    assert sorted(given) == sorted({row.id for row in recorder.rows(core.Person)})
    assert len(given) == 40


def test_events_are_numbered_in_the_order_of_their_hooks(recorder):
    hooks = [
        recorder.hook("order_new", order(id=number, customer=customer(id=number, email=f"p{number}@example.com")))
        for number in (31, 12, 23, 4)
    ]
    found = recorder.record(*hooks)
    later = recorder.record(recorder.hook("order_new", order(id=1)))
    ids = [found.ids[hook["receipt"]] for hook in hooks] + list(later.ids.values())

    assert ids == sorted(set(ids))
    with reading(recorder.engine) as conn:
        names = dict(conn.execute(PEOPLE.select().with_only_columns(PEOPLE.c.id, PEOPLE.c.customer_id)).all())
    assert [names[number] for number in sorted(names)][:4] == [31, 12, 23, 4]
