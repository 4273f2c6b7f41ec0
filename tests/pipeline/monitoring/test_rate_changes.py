"""A fall to half and a surge are found, and chance, nights, weekends and batches are not.

The stores are simulated: a Poisson process with a day and a week, from seven to midnight, less at the weekend.
"""

from __future__ import annotations

import math
import random

import pytest

from pipeline.monitoring.rate_changes import LEARNING_HOURS, find_rate_change
from tests.pipeline.monitoring.hook_histories import BEGIN, DAY, WEEK

KINDS = 8  # events that such a store has
PAST = 90 * DAY


def weight(hour: int) -> float:
    return 0.0 if hour % DAY < 7 else 0.4 if hour % WEEK >= 5 * DAY else 1.7


MEAN = sum(map(weight, range(WEEK))) / WEEK


def expect(a_day: float, hour: int) -> float:
    return a_day / DAY * weight(hour) / MEAN


def draw(rng: random.Random, mean: float) -> int:
    """A Poisson number."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def simulate(a_day: float, hours: int, seed: int, factor: float = 1.0, changed: int = 0) -> dict[int, int]:
    """Hour since the epoch -> events; from `changed` on the rate is multiplied by `factor`."""
    rng = random.Random(seed)
    return {
        BEGIN + hour: draw(rng, expect(a_day, hour) * (factor if changed and hour >= changed else 1.0))
        for hour in range(hours)
    }


def find(counts: dict[int, int], end: int, first: int = 0, **more):
    return find_rate_change(counts, BEGIN + first, BEGIN + end, watched=KINDS, **more)


def expected_until_found(a_day: float, factor: float, seed: int) -> float:
    """How many events would have been expected from the change until it was found."""
    counts = simulate(a_day, PAST + 40 * DAY, seed, factor, changed=PAST)
    step = max(1, round(2 * DAY / a_day))
    for end in range(PAST, PAST + 40 * DAY, step):
        change = find(counts, end)
        if change is not None and change.is_certain:
            return sum(expect(a_day, hour) for hour in range(PAST, end))
    return math.inf


@pytest.mark.parametrize(("factor", "events"), [(0.0, 30), (0.25, 60), (0.5, 120), (2.0, 60), (4.0, 20)])
def test_a_change_is_found_within_so_many_expected_events(factor, events):
    found = sorted(expected_until_found(40, factor, seed) for seed in range(3))

    assert found[1] < events


@pytest.mark.parametrize("a_day", [3, 40])
def test_chance_is_no_change(a_day):
    """Half a year of a store, looked at once a day."""
    counts = simulate(a_day, 240 * DAY, seed=5)
    found = [find(counts, end, max(0, end - PAST)) for end in range(60 * DAY, 240 * DAY, DAY - 1)]

    assert [change for change in found if change and change.is_certain] == []


def test_while_a_store_is_learned_nothing_is_a_change():
    counts = simulate(40, LEARNING_HOURS, seed=1, factor=0.1, changed=15 * DAY)

    assert find(counts, LEARNING_HOURS) is None


def test_too_few_events_say_nothing():
    assert find({BEGIN + 5: 3}, PAST) is None


def test_a_batch_that_comes_once_a_month_is_no_surge():
    counts = simulate(1, 105 * DAY, seed=3)
    for month in range(3):
        counts[BEGIN + month * 30 * DAY + 10] = 300

    assert find(counts, 60 * DAY + 12) is None


def test_hours_of_a_known_outage_do_not_count():
    counts = simulate(40, PAST + 3 * DAY, seed=4, factor=0.0, changed=PAST)

    assert find(counts, PAST + 3 * DAY, excluded=range(BEGIN + PAST, BEGIN + PAST + 3 * DAY)) is None


def test_a_change_is_over_when_the_rate_is_as_it_was():
    counts = simulate(40, PAST + 12 * DAY, seed=6)
    stopped = {**counts, **dict.fromkeys(range(BEGIN + PAST, BEGIN + PAST + 5 * DAY), 0)}
    before = find(stopped, PAST + 5 * DAY)

    assert before is not None
    assert before.is_certain
    assert find(stopped, PAST + 12 * DAY) is None


def test_a_change_says_what_came_and_what_is_usual():
    counts = simulate(40, PAST + 10 * DAY, seed=8, factor=0.5, changed=PAST)
    change = find(counts, PAST + 10 * DAY)

    assert change is not None
    assert change.kind == "rate_drop"
    assert change.came == pytest.approx(change.expected / 2, rel=0.3)


def test_a_store_that_is_as_regular_as_a_clock_is_judged_sooner():
    counts = {BEGIN + hour: 2 for hour in range(PAST)} | {BEGIN + PAST + hour: 1 for hour in range(3 * DAY)}
    ends = range(PAST, PAST + 3 * DAY)
    found = next(end for end in ends if (change := find(counts, end)) and change.is_certain)

    assert 2 * (found - PAST) <= 30
