"""docs/attention.md lists every cause, in the order of the list, and no other."""

from __future__ import annotations

from pipeline.attention.causes import CAUSES
from tests.documents.reading import names_in, tables_of, text_of


def test_every_cause_is_explained_in_the_order_of_the_list():
    [table] = tables_of(text_of("docs/attention.md"))

    assert [names_in([row])[0] for row in table] == [cause.name for cause in CAUSES]
