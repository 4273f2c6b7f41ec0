from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.forecast import (
    ForecastBox,
    Pace,
    PastBatch,
    Range,
    describe_box,
    estimate_pace,
    forecast,
)
from tests.pipeline.fulfilment.rules.boxes import DAY_US, NOW, NUMBERING, body, build

TEA = ForecastBox((("TEA", "Tea (Size: M)", 1),), "US")
CUPS = ForecastBox((("TEA", "Tea (Size: L)", 1), ("CUP", "Cup", 2)), "CA", is_gift=True)


def test_after_its_end_a_batch_is_what_it_is():
    made = forecast([TEA] * 3 + [CUPS], NOW, NOW, Pace())

    assert made.total == Range(4, 4, 4)
    assert made.by_sku == {"CUP": Range(2, 2, 2), "TEA": Range(4, 4, 4)}
    assert made.by_variant == {
        "Cup": Range(2, 2, 2),
        "Tea (Size: L)": Range(1, 1, 1),
        "Tea (Size: M)": Range(3, 3, 3),
    }
    assert made.by_gift == {"gift": Range(1, 1, 1), "no_gift": Range(3, 3, 3)}
    assert made.by_country == {"CA": Range(1, 1, 1), "US": Range(3, 3, 3)}


@pytest.mark.parametrize("days", [0, 20])
def test_boxes_that_were_sent_move_no_more(days):
    sent = ForecastBox(TEA.lines, "US", certainty="sent")

    assert forecast([sent] * 9, NOW, NOW + days * DAY_US, Pace()).total == Range(9, 9, 9)


@pytest.mark.parametrize(
    ("state", "certainty"),
    [("discovered", "paid"), ("ready", "paid"), ("held", "held"), ("unknown", "sent"), ("confirmed", "sent")],
)
def test_a_box_of_the_ledger_counts_as_sure_as_it_is(state, certainty):
    made = build(body(), numbering=replace(NUMBERING, country_format="alpha3"))

    assert describe_box(made, State(state)) == ForecastBox(
        (("BOX", "Tea Box (Size: Medium)", 1),), "US", certainty=certainty
    )


@pytest.mark.parametrize("state", ["skipped", "cancelled", "cancel_requested", "cancelled_at_warehouse", "failed"])
def test_a_box_that_does_not_go_is_in_no_forecast(state):
    assert describe_box(build(body()), State(state)) is None


def test_held_boxes_may_go_or_not():
    held = ForecastBox(TEA.lines, "US", certainty="held")

    assert forecast([TEA, held, held], NOW, NOW, Pace()).total == Range(1, 2, 3)


def test_a_renewal_that_did_not_come_until_the_end_does_not_come():
    renewal = ForecastBox(TEA.lines, "US", certainty="renewal")

    assert forecast([TEA, renewal], NOW, NOW, Pace()).total == Range(1, 1, 1)
    assert forecast([renewal] * 100, NOW, NOW + DAY_US, Pace()).total.likely == 92


def test_a_range_is_made_of_what_is_known_of_the_pace_and_of_chance():
    pace = Pace((1, 2, 3), (0.0, 0.01, 0.02), (0.8, 0.9, 1.0))
    cups = ForecastBox((("CUP", "Cup", 2),), "CA")
    boxes = [
        *[ForecastBox(TEA.lines, "US", certainty="sent")] * 10,
        *[TEA] * 80,
        *[cups] * 20,
        *[ForecastBox(TEA.lines, "US", certainty="renewal")] * 50,
        *[ForecastBox(TEA.lines, "US", certainty="held")] * 4,
    ]

    made = forecast(boxes, NOW, NOW + 10 * DAY_US, pace)

    # 10 sent; 100 paid, of which 9.56 cancel (0 to 18.29); 50 renewals of which 45 come (40 to 50); 20 join (10 to 30);
    # 2 of 4 held go (0 to 4). Chance: 2.6 times the root of 100 * 0.0956 * 0.9044 + 50 * 0.9 * 0.1 + 30.
    assert made.total == Range(124, 167, 212)
    # 40 cups, of which 36.18 stay (32.68 to 40), and 40 in 164 for each box that joins: 4.88 (2.44 to 7.32). They come
    # and go in twos: 2.6 times the root of 80 * 0.0956 * 0.9044 + 7.32 * 2.
    assert made.by_sku["CUP"] == Range(23, 41, 60)


def test_an_empty_batch_has_a_forecast_of_those_who_join():
    assert forecast([], NOW, NOW, Pace()).total == Range(0, 0, 0)
    assert forecast([], NOW, NOW + DAY_US, Pace((1, 2, 3))).total.has(2)


def test_a_range_is_wider_the_more_days_are_left():
    boxes = [TEA] * 1_000
    widths = [
        (made := forecast(boxes, NOW, NOW + days * DAY_US, Pace((5, 10, 15))).total).high - made.low
        for days in (0, 1, 5, 10, 20)
    ]

    assert widths[0] == 0
    assert widths == sorted(set(widths))


def test_without_earlier_batches_the_boxes_of_the_last_days_say_how_many_join():
    joined = [NOW - number * DAY_US // 4 for number in range(200)]

    low, likely, high = estimate_pace([], joined, NOW).joins_per_day

    assert likely == pytest.approx(4, rel=0.05)
    assert low < likely < high


def test_earlier_batches_say_how_a_batch_moves():
    past = [PastBatch(10, 1_000, 30, 100, 500, 450), PastBatch(10, 1_000, 50, 200, 500, 480)]

    pace = estimate_pace(past, [], NOW)

    assert pace.joins_per_day == pytest.approx((5 / 3, 15, 85 / 3 + 0.1))
    assert pace.renews[1] == pytest.approx(0.93)
    assert pace.renews[2] == 1.0


@pytest.mark.parametrize("past", [[], [PastBatch(7, 4, 0, 0)]])
def test_that_no_one_has_joined_does_not_say_that_no_one_will(past):
    total = forecast([TEA], NOW, NOW + 7 * DAY_US, estimate_pace(past, [], NOW)).total

    assert total.high >= 4


def test_who_joined_is_counted_over_the_days_that_were_watched():
    joined = [NOW - number * DAY_US for number in range(4)]

    assert estimate_pace([], joined, NOW, 4.0).joins_per_day[1] == pytest.approx(1.0)


def test_all_boxes_of_a_small_batch_may_leave_on_its_last_day():
    pace = estimate_pace([PastBatch(0.5, 1, 1, 0), PastBatch(0.5, 2, 2, 0)], [], NOW)

    total = forecast([TEA] * 3, NOW, NOW + DAY_US // 2, pace).total
    assert (total.low, total.high < 10) == (0, True)


def simulate(random, days, known, rates):
    """Return what became of a batch: (left, joined, renewed), from the rates of its shop."""
    leaves, joins, renewals, renews = rates
    left = sum(random.random() < 1 - (1 - leaves) ** days for _ in range(known))
    joined = sum(random.random() < joins / 50 for _ in range(round(50 * days)))
    return left, joined, sum(random.random() < renews for _ in range(renewals))


@pytest.mark.parametrize("days", [2, 10])
@pytest.mark.parametrize("size", [40, 400])
def test_the_range_is_right_in_at_least_95_of_100_batches(days, size):
    """A shop with boxes in two countries, three of four in the one, whose rates move from month to month."""
    random, right = Random(days * size), Counter()
    parts = {"US": size * 3 // 4, "CA": size // 4}

    def rates():
        return random.uniform(0.001, 0.006), random.uniform(0.7, 1.3) / 40, random.uniform(0.88, 0.96)

    def live(known, rates):
        leaves, joins, renews = rates
        return simulate(random, days, known, (leaves, known * joins, known // 2, renews))

    for _ in range(100):
        past = [
            PastBatch(days, size, left, joined, size // 2, renewed)
            for left, joined, renewed in (live(size, rates()) for _ in range(6))
        ]
        boxes = [
            ForecastBox(TEA.lines, country, certainty=certainty)
            for country, known in parts.items()
            for certainty, count in (("paid", known), ("renewal", known // 2))
            for _ in range(count)
        ]
        made = forecast(boxes, NOW, NOW + days * DAY_US, estimate_pace(past, [], NOW))
        now = rates()
        sent = {
            country: known - left + joined + renewed
            for country, known in parts.items()
            for left, joined, renewed in [live(known, now)]
        }
        right["total"] += made.total.has(sum(sent.values()))
        for country, count in sent.items():
            right[country] += made.by_country[country].has(count)

    assert min(right[name] for name in ("total", "US", "CA")) >= 95


def test_a_range_is_narrow_enough_to_order_by():
    past = [PastBatch(10, 400, 12, 100, 200, 185) for _ in range(6)]

    total = forecast([TEA] * 400, NOW, NOW + 10 * DAY_US, estimate_pace(past, [], NOW)).total

    assert total.high - total.low < 0.25 * total.likely
