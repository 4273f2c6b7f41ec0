"""docs/personal-data.md says of every table what it holds."""

from __future__ import annotations

from pipeline.ledger.migrations import TABLE_MODULES
from pipeline.ledger.schema.all_tables import list_all_tables
from tests.documents.markdown import get_section, read_document


def test_every_table_is_in_the_list_of_what_is_kept_where():
    section = get_section(read_document("docs/personal-data.md"), "## What is kept where")

    assert TABLE_MODULES
    assert [table for table in sorted(table.name for table in list_all_tables()) if f"`{table}`" not in section] == []
