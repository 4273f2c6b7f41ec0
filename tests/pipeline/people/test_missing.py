"""What became no event is searched for a person in so many bytes only."""

from __future__ import annotations

import zlib

from pipeline.people.missing import MAX_SEARCHED_BYTES, _Search
from pipeline.redaction.identity import Identity

WHO = Identity(customer_ids=frozenset({7001}))
NAMING = zlib.compress(b'{"customer_id": 7001}')


def test_a_hook_that_names_the_person_is_found():
    search = _Search(WHO)

    assert (search.names("order_new", NAMING), search.is_over) == (True, False)


def test_the_search_ends_after_so_many_bytes():
    search, large = _Search(WHO), zlib.compress(b'{"text": "%s"}' % (b"x" * 1_000_000))
    hooks = 0
    while not search.is_over:
        hooks += 1
        search.names("order_new", large)

    assert hooks == MAX_SEARCHED_BYTES // 1_000_000


def test_what_is_longer_than_any_hook_is_not_unpacked_and_counts():
    search = _Search(WHO)
    bomb = zlib.compress(b"7001 " * 1_000_000)

    assert (search.names("order_new", bomb), search.left < MAX_SEARCHED_BYTES) == (False, True)
