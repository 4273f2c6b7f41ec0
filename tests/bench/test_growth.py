"""The ledgers whose growth is measured grow in everything that hooks leave behind."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import func, select

from bench.hooks import make_hooks
from bench.in_process import STORE, CpuTimes, create_connected_store, push
from bench.measures.growth import fill_ledger
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.schema.base import Base

COPIES = 3
ONCE = {"accounts", "dictionaries", "fences"}  # one row each, whatever the ledger holds
TABLES = Base.metadata.tables


@pytest.fixture
def filled(migrated_sqlite, redis_client, tmp_path):
    """A filled ledger, and the number of its tables' rows before."""
    path = tmp_path / "ledger.db"
    shutil.copy(migrated_sqlite, path)
    engine = make_engine(f"sqlite:///{path}")
    create_connected_store(engine)
    push(engine, redis_client, [(STORE, hook) for hook in make_hooks(40)], 20, CpuTimes())
    before = counts(engine)
    engine.dispose()
    fill_ledger(path, COPIES)
    yield engine, before
    engine.dispose()


def counts(engine):
    with reading(engine) as db:
        counted = {name: db.execute(select(func.count()).select_from(table)).scalar() for name, table in TABLES.items()}
    return {name: count for name, count in counted.items() if count}


def test_every_table_that_hooks_fill_grows_by_as_much(filled):
    engine, before = filled

    assert counts(engine) == {name: count * (1 if name in ONCE else 1 + COPIES) for name, count in before.items()}


def test_every_store_has_its_own_of_everything(filled):
    engine, before = filled
    owned = {name: table.c.store_id for name, table in TABLES.items() if name in before and "store_id" in table.c}

    with reading(engine) as db:
        shares = {name: db.execute(select(func.count(of)).group_by(of)).scalars().all() for name, of in owned.items()}

    assert shares == {name: [before[name]] * (1 + COPIES) for name in owned}


def test_what_was_copied_belongs_together(filled):
    engine, _ = filled

    with reading(engine) as db:
        assert db.exec_driver_sql("PRAGMA foreign_key_check").all() == []
