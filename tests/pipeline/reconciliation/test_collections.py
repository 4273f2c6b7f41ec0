"""The largest id of a collection is found in a few questions, however its pages are sorted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.reconciliation.collections import IdSearch

IDS = st.sets(st.integers(1, 2**40), max_size=60)


def found(ids, page):
    """What a search ends with, and how many questions it took. `page`: which of the ids above are shown."""
    search, questions = IdSearch(), 0
    while True:
        questions += 1
        above = page(sorted(one for one in ids if one > search.asked))
        if search.is_finished_by(above):
            return search.low, questions
        search = search.after(above)


@given(IDS, st.integers(1, 10), st.booleans())
def test_it_ends_at_the_largest_id_whichever_come_first(ids, size, newest_first):
    def page(above):
        return above[-size:] if newest_first else above[:size]

    largest, questions = found(ids, page)

    assert largest == max(ids, default=0)
    assert questions < 200


def test_twenty_thousand_customers_take_a_few_dozen_questions():
    ids = range(7_093_400_001, 7_093_400_001 + 20_000 * 13, 13)

    assert found(ids, lambda above: above[:100])[1] < 40
