"""The numbers of new rows."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import delete

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.sql.insert import insert_returning_ids
from pipeline.ledger.sql.tables import get_table
from tests.builders import NOW, customer, order

PEOPLE = get_table(core.Person)


def person(number):
    return {"store_id": 1, "customer_id": number, "attributes": {}, "known_at": 0, "created_at": NOW}


def numbered(teller, numbers):
    with writing(teller.engine) as db:
        return list(insert_returning_ids(db, PEOPLE, [person(number) for number in numbers]))


def test_ids_grow_in_the_order_of_the_rows_and_are_theirs(teller):
    ids = [*numbered(teller, range(900, 600, -1)), *numbered(teller, [7, 5, 6])]

    assert ids == sorted(set(ids))
    assert [(row.id, row.customer_id) for row in teller.rows(core.Person)] == list(
        zip(ids, [*range(900, 600, -1), 7, 5, 6], strict=True)
    )


def test_no_rows_have_no_numbers(teller):
    assert numbered(teller, []) == []
    assert teller.rows(core.Person) == []


def test_a_gap_is_not_filled(teller):
    first, second, third = numbered(teller, [1, 2, 3])
    with writing(teller.engine) as db:
        db.execute(delete(PEOPLE).where(PEOPLE.c.id == second))

    assert numbered(teller, [4])[0] > third > first


def test_an_id_is_never_given_again_even_if_every_row_is_deleted(teller):
    first = numbered(teller, [1, 2, 3])
    with writing(teller.engine) as db:
        db.execute(delete(PEOPLE))

    assert min(numbered(teller, [4])) > max(first)


def test_rows_that_are_numbered_by_the_database_and_by_us_share_no_id(teller):
    ids = numbered(teller, [1, 2])
    with writing(teller.engine) as db:
        db.execute(PEOPLE.insert(), [person(3)])
    ids += numbered(teller, [4])

    assert [row.customer_id for row in teller.rows(core.Person)] == [1, 2, 3, 4]
    assert ids[-1] == teller.rows(core.Person)[-1].id


@pytest.mark.slow
def test_writers_at_once_share_no_id(teller):
    given, failures = [], []

    def number(of):
        try:
            for turn in range(10):
                given.extend(numbered(teller, [of + turn]))
        except Exception as error:  # noqa: BLE001 whatever it is, it is what the test is about
            failures.append(error)

    writers = [threading.Thread(target=number, args=(of,)) for of in (100, 200, 300, 400)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert failures == []
    assert sorted(given) == sorted({row.id for row in teller.rows(core.Person)})
    assert len(given) == 40


def test_events_are_numbered_in_the_order_of_their_hooks(teller):
    told = [
        teller.hook("order_new", order(id=number, customer=customer(id=number, email=f"p{number}@example.com")))
        for number in (31, 12, 23, 4)
    ]
    found = teller.tell(*told)
    later = teller.tell(teller.hook("order_new", order(id=1)))
    ids = [found.ids[hook["receipt"]] for hook in told] + list(later.ids.values())

    assert ids == sorted(set(ids))
    with reading(teller.engine) as db:
        names = dict(db.execute(PEOPLE.select().with_only_columns(PEOPLE.c.id, PEOPLE.c.customer_id)).all())
    assert [names[number] for number in sorted(names)][:4] == [31, 12, 23, 4]
