"""How long events take is counted in steps; percentiles are the ends of steps."""

from __future__ import annotations

import pytest

from pipeline.ledger.counts.arrivals import OUTCOMES, STEPS_S, count_arrivals, find_percentile
from pipeline.ledger.counts.keys import HOUR_US
from pipeline.ledger.engine import writing
from pipeline.ledger.queries import ArrivalTimes, load_arrival_times
from tests.pipeline.ledger.rows import NOW, add_event


@pytest.mark.parametrize(("share", "expected"), [(0.5, 0.4), (0.89, 0.4), (0.95, 10.0), (1.0, 10.0)])
def test_a_percentile_is_the_end_of_its_step(share, expected):
    counts = {OUTCOMES[STEPS_S.index(0.4)]: 9, OUTCOMES[STEPS_S.index(10.0)]: 1}

    assert find_percentile(counts, share) == expected


def test_nothing_that_arrived_has_no_percentile():
    assert find_percentile({"forwarded": 3}, 0.5) is None


def test_arrivals_count_from_the_hook_to_the_platform(shop):
    with writing(shop.engine) as conn:
        ids = [add_event(conn, shop.store.id, number, received_at=NOW) for number in range(3)]
        count_arrivals(conn, ids[:2], NOW + 350_000)
        count_arrivals(conn, ids[2:], NOW + 9 * 86_400_000_000)

        found = load_arrival_times(conn, [shop.store.id], NOW // HOUR_US)

    assert found == {shop.store.id: ArrivalTimes(3, 0.4, STEPS_S[-1])}
