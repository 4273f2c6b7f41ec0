"""The task that reads older rows for the search."""

from __future__ import annotations

from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.search_terms import is_search_filled
from tasks import search


def is_filled(installed):
    with reading(installed.process.engine) as conn:
        return is_search_filled(conn)


def test_older_rows_are_read_by_one_process_until_none_is_left(installed):
    installed.process.redis.set(redis_keys.SEARCH_LEASE, "another process")
    search.fill()
    before = is_filled(installed)
    installed.process.redis.delete(redis_keys.SEARCH_LEASE)

    search.fill()

    assert (before, is_filled(installed)) == (False, True)
