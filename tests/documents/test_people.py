"""docs/people.md explains every cause of a verdict, and none that does not exist."""

from __future__ import annotations

from typing import get_args

from pipeline.people.causes import Cause
from tests.documents.markdown import get_code_names, get_section, parse_tables, read_document


def test_every_cause_is_explained():
    (table,) = parse_tables(get_section(read_document("docs/people.md"), "## Why did, or didn't, they hear of this?"))
    named = get_code_names(table)

    assert sorted(named) == sorted(get_args(Cause))
