"""What a batch looks up costs the same however much the ledger holds."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select

from pipeline.ledger import tables
from pipeline.ledger.engine import reading
from pipeline.record.by_keys import rows_by
from tests.builders import gift_info, shipment, subscription

GIFT = subscription(subscription_gift_info=gift_info())


def test_no_statement_of_a_batch_reads_a_whole_table_on_sqlite(teller):
    """PostgreSQL chooses by the tables' sizes, so small ones tell nothing there."""
    if teller.engine.dialect.name != "sqlite":
        pytest.skip("one database's planner")
    asked = []

    @event.listens_for(teller.engine, "after_cursor_execute")
    def keep(_db, _cursor, statement, parameters, _context, many):
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            asked.append((statement, parameters[0] if many else parameters))

    teller.told("shipment_shipped", shipment())
    teller.told("subscription_new", GIFT)  # looks for the gift's earlier boxes too
    event.remove(teller.engine, "after_cursor_execute", keep)

    assert [statement for statement, parameters in asked if reads_all(teller.engine, statement, parameters)] == []
    assert any("FROM event_subjects" in statement for statement, _ in asked)


def reads_all(engine, statement, parameters):
    """A whole index is as long as its table: "SCAN … USING COVERING INDEX …"."""
    with reading(engine) as db:
        plan = [row[3] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    return any(step.split()[:2] == ["SCAN", table] for step in plan for table in tables.Base.metadata.tables)


def test_rows_are_found_by_all_of_their_keys_and_no_others(teller):
    teller.told("subscription_new", GIFT)
    link = tables.EventSubject.__table__
    (row,) = teller.rows(tables.EventSubject)[:1]
    keys = [(row.kind, row.subject_id), (row.kind, row.subject_id + 10_000), ("shipment", row.subject_id)]
    with reading(teller.engine) as db:
        found = list(rows_by(db, select(link), (link.c.kind, link.c.subject_id), keys))

    assert [(one.kind, one.subject_id) for one in found] == [(row.kind, row.subject_id)]
