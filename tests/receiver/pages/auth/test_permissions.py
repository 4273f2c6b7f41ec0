"""What a view requires: the user's stores and roles are loaded once in a request."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import event

BEA = "bea@example.com"


@pytest.mark.parametrize("path", ["/stores/acme/settings", "/stores/acme/settings/keys/1/api_key", "/activity"])
def test_a_store_is_loaded_once_for_a_page(pages, path):
    pages.store("acme", pages.member(BEA))
    visitor = pages.logged_in(BEA)
    asked: Counter[tuple[str, str]] = Counter()

    def note(_conn, _cursor, statement, parameters, *_):
        asked[statement, str(parameters)] += "memberships" in statement

    event.listen(pages.site.engine, "before_cursor_execute", note)
    visitor.go(path)
    event.remove(pages.site.engine, "before_cursor_execute", note)

    assert (visitor.status, max(asked.values())) == (200, 1)
