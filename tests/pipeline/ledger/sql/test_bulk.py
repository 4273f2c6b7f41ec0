"""Many rows through one statement come out as SQLAlchemy would have written them."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, delete, insert, update

from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.ledger.sql.bulk import execute_bulk
from pipeline.ledger.sql.tables import get_table
from tests.builders import NOW

FENCES, PEOPLE = get_table(core.Fence), get_table(core.Person)
HOSTILE = {"name": "a\0b", "\0": [1, 2.5, None, True], "half": "\ud83d", "é": {}}


def person(number, **more):
    return {"store_id": 1, "customer_id": number, "attributes": {}, "known_at": 0, "created_at": NOW, **more}


def written(teller, model, statement, rows):
    with writing(teller.engine) as db:
        execute_bulk(db, statement, rows)
    return teller.rows(model)


def test_values_are_handed_over_as_their_columns_want_them(teller):
    people = [person(number, attributes=HOSTILE) for number in (1, 2)]
    mine = written(teller, core.Person, insert(PEOPLE), people)
    with writing(teller.engine) as db:
        db.execute(delete(PEOPLE))
        db.execute(insert(PEOPLE), people)

    assert [row.attributes for row in mine] == [row.attributes for row in teller.rows(core.Person)]
    assert mine[0].attributes["name"] == "ab"


def test_a_statement_may_name_its_values_otherwise_than_its_columns(teller):
    first, second = written(teller, core.Person, insert(PEOPLE), [person(1), person(2)])
    changed = update(PEOPLE).where(PEOPLE.c.id == bindparam("whose")).values(email=bindparam("email"))
    rows = [{"whose": second.id, "email": "b@example.com"}, {"email": "a@example.com", "whose": first.id}]

    assert [row.email for row in written(teller, core.Person, changed, rows)] == ["a@example.com", "b@example.com"]


@pytest.mark.parametrize("default", ["priority", "status", "attempts", "notes"])
def test_what_rows_leave_out_is_what_the_column_says(teller, default):
    (one,) = written(teller, core.Person, insert(PEOPLE), [person(1)])
    row = {"store_id": 1, "connection_id": 1, "lane": 0, "person_id": one.id, "kind": "profile", "message": {}}
    row |= {"priority": 0, "status": "pending", "attempts": 0, "notes": [], "created_at": NOW}
    named = {name: value for name, value in row.items() if name != default}
    (delivery,) = written(teller, core.Delivery, insert(get_table(core.Delivery)), [named])

    assert getattr(delivery, default) == row[default]


def test_one_value_is_enough(teller):
    written(teller, core.Fence, insert(FENCES), [{"name": "a", "token": 1}, {"name": "b", "token": 2}])
    gone = delete(FENCES).where(FENCES.c.name == bindparam("which"))

    assert [row.name for row in written(teller, core.Fence, gone, [{"which": "a"}])] == ["b"]


def test_no_rows_are_no_statement(teller):
    assert written(teller, core.Fence, insert(FENCES), []) == []
