"""docs/attention.md lists every cause, in the order of the list, and no other."""

from __future__ import annotations

from pipeline.attention.causes import CAUSES
from tests.documents.markdown import get_code_names, parse_tables, read_document


def test_every_cause_is_explained_in_the_order_of_the_list():
    [table] = parse_tables(read_document("docs/attention.md"))

    assert [get_code_names([row])[0] for row in table] == [cause.name for cause in CAUSES]
