"""Look-ups of a batch cost the same however large the ledger is."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.base import Base
from pipeline.ledger.sql.tables import select_by_keys
from tests.builders import customer, gift_info, shipment, subscription

GIFT = subscription(subscription_gift_info=gift_info())


def test_no_statement_of_a_batch_reads_a_whole_table_on_sqlite(recorder):
    """PostgreSQL chooses by the tables' sizes, so small ones prove nothing there."""
    if recorder.engine.dialect.name != "sqlite":
        pytest.skip("one database's planner")
    asked = []

    @event.listens_for(recorder.engine, "after_cursor_execute")
    def keep(_db, _cursor, statement, parameters, _context, many):
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            asked.append((statement, parameters[0] if many else parameters))

    recorder.record_one("shipment_shipped", shipment())
    recorder.record_one("subscription_new", GIFT)  # looks for the gift's earlier boxes too
    event.remove(recorder.engine, "after_cursor_execute", keep)

    assert [statement for statement, parameters in asked if reads_all(recorder.engine, statement, parameters)] == []
    assert any("JOIN event_subjects" in statement for statement, _ in asked)


def reads_all(engine, statement, parameters):
    """A whole index is as long as its table: "SCAN … USING COVERING INDEX …"."""
    with reading(engine) as conn:
        plan = [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    return any(step.split()[:2] == ["SCAN", table] for step in plan for table in Base.metadata.tables)


def test_rows_are_found_by_their_whole_key_only(recorder):
    recorder.record_one("subscription_new", GIFT)
    link = core.EventSubject.__table__.c
    (row,) = recorder.rows(core.EventSubject)[:1]
    others = [(row.kind, row.subject_id + 10_000), ("shipment", row.subject_id), ("shipment", 2**62)]
    with reading(recorder.engine) as conn:
        found = select_by_keys(conn, tuple(link), (link.kind, link.subject_id), [(row.kind, row.subject_id), *others])

    assert found == [row]


@pytest.mark.parametrize("value", ["7", "007", "7.0", "null", "é'\"\\,€😀", "a\tb\u2028", ""])
def test_a_text_key_is_found_as_it_was_written(recorder, value):
    keys = core.PersonKey.__table__
    recorder.record_one("customer_new", customer())
    with writing(recorder.engine) as conn:
        conn.execute(keys.insert().values(store_id=1, kind="other", value=value, person_id=1))
        found = select_by_keys(conn, (keys.c.value,), (keys.c.kind, keys.c.value), [("other", value), ("other", "7 ")])

    assert [row.value for row in found] == [value]


def test_a_key_that_is_given_twice_is_found_once(recorder):
    recorder.record_one("customer_new", customer())
    keys = core.PersonKey.__table__.c
    with reading(recorder.engine) as conn:
        found = select_by_keys(conn, (keys.person_id,), (keys.kind, keys.value), [("customer", "7001")] * 2)

    assert len(found) == 1


def test_as_many_keys_as_a_batch_may_have_fit_one_statement(recorder):
    recorder.record_one("customer_new", customer())
    keys = core.PersonKey.__table__.c
    wanted = [("customer", str(number)) for number in range(100_000)]
    with reading(recorder.engine) as conn:
        found = select_by_keys(conn, (keys.value,), (keys.kind, keys.value), wanted)

    assert [row.value for row in found] == ["7001"]
