"""All tables are known to what copies, empties or counts them, in a process that has imported few of them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import inspect

from pipeline.ledger.schema.all_tables import list_all_tables


def test_they_are_those_that_the_migrations_make(engine):
    there = set(inspect(engine).get_table_names()) - {"alembic_version"}

    assert {table.name for table in list_all_tables()} == there


@pytest.mark.parametrize(
    "module", ["pipeline.operations.copy_database", "pipeline.ledger.store_rows", "pipeline.ledger.vacuum"]
)
def test_a_fresh_process_knows_them_all(module):
    count = f"import {module} as module; print(len(module.list_all_tables()))"

    ran = subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True)

    assert int(ran.stdout) == len(list_all_tables())
