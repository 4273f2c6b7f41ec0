"""The measurement of migrations goes through every revision, and finds the tables that are read."""

from __future__ import annotations

import fakeredis

from bench.migrations import OLDEST, measure
from bench.pages.fill import Size
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.migrations.costs import COSTS
from pipeline.ledger.revision import current_revision, newest_revision


def test_each_revision_is_timed_by_the_rows_of_a_large_ledger_that_it_reads(tmp_path):
    url = f"sqlite:///{tmp_path}/cratewire.db"

    found, others = measure(url, fakeredis.FakeRedis(), Size(stores=2, events_of_store=40))

    measured = {one: {table for table, by in tables.items() if "sqlite" in by} for one, tables in COSTS.items()}
    assert {one: set(tables) for one, tables in found.items()} == {
        one: those for one, those in measured.items() if those
    }
    assert min(found) > OLDEST
    assert "rewrite of a GB" in others
    assert current_revision(url) == newest_revision()
    engine = make_engine(url)
    with reading(engine) as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM events WHERE length(data) > 10").scalar_one() == 80
    engine.dispose()
