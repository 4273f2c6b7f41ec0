"""What happens in a year: one thing after another, as Hypothesis draws it, with the time that passes in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from bench.year.world import DAY, HOUR, MINUTE

BYTE = 255


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens. `who`, `how`: numbers that choose the subject and the manner; `after_s` passes then."""

    act: str
    who: int
    how: int
    after_s: int


# Act -> how often it is drawn. Each is a method of `bench.year.acts.Acts`.
SALES: Mapping[str, int] = {"buy": 6, "buy_gift": 3, "buy_again": 4, "buy_prepaid": 3, "buy_once": 3}
SHOP: Mapping[str, int] = {
    "sell_unpaid": 1,
    "pay": 2,
    "refund": 2,
    "cancel_subscription": 2,
    "activate_subscription": 1,
    "cancel_box": 3,
    "uncancel_box": 2,
    "change_address": 3,
    "move_customer": 1,
    "move_date": 1,
    "ship_by_hand": 2,
    "cancel_line": 1,
    "load_batch_again": 1,
}
FLOOR: Mapping[str, int] = {
    "pick": 2,
    "ship_now": 3,
    "ship_in_part": 2,
    "ship_without_tracking": 1,
    "cancel_at_warehouse": 1,
    "hold": 1,
    "foreign_parcel": 1,
}
TROUBLE: Mapping[str, int] = {
    "store_away": 1,
    "warehouse_away": 1,
    "store_fails": 1,
    "warehouse_fails": 1,
    "lose_answer_of_store": 2,
    "lose_answer_of_warehouse": 3,
    "refuse_keys_of_warehouse": 1,
    "limit_warehouse": 1,
    "limit_store": 1,
    "lose_messages_of_warehouse": 2,
    "we_are_away": 1,
    "kill": 6,
}
PEOPLE: Mapping[str, int] = {"attend": 3, "nothing": 2}
HEALTHY: Mapping[str, int] = {**SALES, "nothing": 4}
EVERYTHING: Mapping[str, int] = {**SALES, **SHOP, **FLOOR, **TROUBLE, **PEOPLE}
GAPS_S = (0, MINUTE, 7 * MINUTE, 20 * MINUTE, 3 * HOUR, 12 * HOUR, DAY, 2 * DAY)
YEAR_GAPS_S = (0, 7 * MINUTE, 3 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY)
# After which part of a year a side is away for how many days: longer than a box is tried to be delivered (15), or its
# tracking to be written (30).
LONG_OUTAGES: Sequence[tuple[float, str, int]] = (
    (0.25, "warehouse_away", 16),
    (0.5, "store_away", 16),
    (0.75, "store_away", 31),
)
LEAST_VARIETY = 4  # of the acts in one plan: Hypothesis begins with the simplest plan, in which nothing happens


def draw_steps(
    acts: Mapping[str, int], least: int, most: int, gaps_s: Sequence[int] = GAPS_S
) -> st.SearchStrategy[list[Step]]:
    """So many steps of these acts, as often as their numbers say."""
    names = [name for name, share in acts.items() for _ in range(share)]
    number = st.integers(0, BYTE)
    step = st.builds(Step, st.sampled_from(names), number, number, st.sampled_from(gaps_s))
    plans = st.lists(step, min_size=least, max_size=most)
    return plans.filter(lambda plan: len({step.act for step in plan}) >= LEAST_VARIETY)


def add_long_outages(plan: Sequence[Step]) -> list[Step]:
    """The plan with both sides away for weeks, up to four days longer than that, as the steps were drawn."""
    steps = list(plan)
    for part, act, days in reversed(LONG_OUTAGES):
        place = round(part * len(steps))
        steps.insert(place, Step(f"{act}_for_weeks", 0, days + steps[place].how % 5, 0))
    return steps
