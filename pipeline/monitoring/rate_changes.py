"""Whether an event comes at half of its usual rate, or twice as often, and has done so for long enough to be sure.

The usual rate is learned for each weekday and each hour of the day. The test is a cumulative sum (CUSUM, Page 1954):
each hour adds the logarithm of how much likelier its count is at half (or twice) the usual rate than at the usual one,
and the sum never falls below zero. No test finds such a change sooner at the same rate of false alarms (Moustakides
1986), and no window has to be chosen. Counts that scatter more than chance explains, because they come in batches,
count for less in proportion to their past scatter; counts that come more regularly count for more.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

RateKind = Literal["rate_drop", "rate_surge"]

HOURS_PER_DAY, HOURS_PER_WEEK = 24, 168
LEARNING_HOURS = 30 * HOURS_PER_DAY
TESTED_HOURS = 21 * HOURS_PER_DAY  # the newest ones; what is older is the past from which is learned
MONTH_HOURS = 30 * HOURS_PER_DAY
MIN_EVENTS = 30  # in the past, before a rate is known
DROP, SURGE = 0.5, 2.0  # of the usual rate
FALSE_ALARMS = 0.1  # in a month, of one store: two in one month are as good as excluded
PRIOR_EVENTS = 10.0  # the weight of an even week in the estimate of each weekday and hour
KEPT_EVIDENCE = 3.0  # above the threshold: so that an end is noticed soon
MIN_SCATTER = 0.3
MIN_SPAN_EVENTS = 10  # that came, or were expected, since a change began
_LOWER_QUANTILE = -2.33  # of the normal distribution: once in a hundred times


@dataclass(frozen=True, slots=True)
class RateChange:
    """A changed rate: since which hour, how many events came since, how many were expected, and how sure that is.

    `is_certain`: the evidence is enough to say so; otherwise it is only enough not to call a change over.
    """

    kind: RateKind
    since_hour: int
    came: int
    expected: float
    is_certain: bool


@dataclass(frozen=True, slots=True)
class UsualRate:
    """What is usual: events an hour for each hour of the week; `scatter`: the variance of a day's count by its mean."""

    by_hour: tuple[float, ...]  # 168
    scatter: float
    error: float  # the standard error of the whole, as a share of it

    def expect(self, hour: int) -> float:
        """How many events an hour (since the epoch) usually has."""
        return self.by_hour[hour % HOURS_PER_WEEK]


def find_rate_change(
    counts: Mapping[int, int], first_hour: int, end_hour: int, excluded: Collection[int] = (), watched: int = 1
) -> RateChange | None:
    """Look for a change in the newest hours; None if there is none, or too little past.

    `counts`: hour since the epoch -> events. `first_hour`: the first that counts; `end_hour`: the first that is not
    over yet. `excluded`: hours of known outages. `watched`: how many events of the store are watched.
    """
    begin = max(first_hour + LEARNING_HOURS, end_hour - TESTED_HOURS)
    if begin >= end_hour:
        return None
    rate = learn_rate(counts, range(first_hour, begin), excluded)
    if rate is None:
        return None
    monthly = sum(rate.by_hour) * MONTH_HOURS / HOURS_PER_WEEK
    hours = [hour for hour in range(begin, end_hour) if hour not in excluded]
    tests: tuple[tuple[RateKind, float], ...] = (("rate_drop", DROP), ("rate_surge", SURGE))
    for kind, factor in tests:
        change = _sum_evidence(kind, factor, counts, hours, rate, _compute_threshold(factor, monthly, watched))
        if change is not None:
            return change
    return None


def learn_rate(counts: Mapping[int, int], hours: range, excluded: Collection[int] = ()) -> UsualRate | None:
    """The usual rate in these hours; None if there were too few events."""
    used = [hour for hour in hours if hour not in excluded]
    total = sum(counts.get(hour, 0) for hour in used)
    if total < MIN_EVENTS or len(used) < HOURS_PER_WEEK:
        return None
    mean = total / len(used)
    by_day = _learn_shares(counts, used, mean, _get_day)
    by_hour = _learn_shares(counts, used, mean, _get_hour_of_day)
    rates = tuple(mean * by_day[_get_day(hour)] * by_hour[_get_hour_of_day(hour)] for hour in range(HOURS_PER_WEEK))
    scatter = _measure_scatter(counts, used, rates)
    return UsualRate(rates, scatter, math.sqrt(max(scatter, 1.0) / total))


def _get_day(hour: int) -> int:
    return hour % HOURS_PER_WEEK // HOURS_PER_DAY


def _get_hour_of_day(hour: int) -> int:
    return hour % HOURS_PER_DAY


def _learn_shares(
    counts: Mapping[int, int], hours: Collection[int], mean: float, get_class: Callable[[int], int]
) -> dict[int, float]:
    """How much more or less comes in each class of hours than in all; a class of few events is drawn towards 1."""
    came, expected = Counter[int](), Counter[int]()
    for hour in hours:
        came[get_class(hour)] += counts.get(hour, 0)
        expected[get_class(hour)] += 1
    return {
        name: (came[name] + PRIOR_EVENTS) / (expected[name] * mean + PRIOR_EVENTS) if expected[name] else 1.0
        for name in range(HOURS_PER_DAY)
    }


def _measure_scatter(counts: Mapping[int, int], hours: Collection[int], rates: tuple[float, ...]) -> float:
    """Pearson's statistic over the days, by its degrees of freedom: 1 for events that come by chance alone.

    Below 1 it counts only as far as it is certain that the days are more regular than chance.
    """
    came: Counter[int] = Counter()
    expected: defaultdict[int, float] = defaultdict(float)
    for hour in hours:
        day = hour // HOURS_PER_DAY
        came[day] += counts.get(hour, 0)
        expected[day] += rates[hour % HOURS_PER_WEEK]
    statistic = sum((came[day] - mean) ** 2 / mean for day, mean in expected.items() if mean > 0)
    freedom = max(1, len(expected) - 7)
    if statistic >= freedom:
        return statistic / freedom
    certain = statistic / _get_chi_square_quantile(freedom)
    return max(MIN_SCATTER, min(1.0, certain))


def _get_chi_square_quantile(freedom: int) -> float:
    """The lower hundredth of the chi-square distribution, as Wilson and Hilferty approximate it."""
    spread = 2 / (9 * freedom)
    return max(0.01, freedom * max(0.05, 1 - spread + _LOWER_QUANTILE * math.sqrt(spread)) ** 3)


def _compute_threshold(factor: float, monthly: float, watched: int) -> float:
    """The evidence that is enough: chance reaches it FALSE_ALARMS times a month, over all events of the store.

    Between two false alarms of a sum with threshold h, some exp(h) / d events are expected, where d is how much the sum
    falls for each expected event while nothing has changed.
    """
    fall = abs(1 - factor + math.log(factor))
    between = max(monthly, 1.0) * 2 * max(watched, 1) / FALSE_ALARMS
    return max(3.0, math.log(fall * between))


def _sum_evidence(
    kind: RateKind,
    factor: float,
    counts: Mapping[int, int],
    hours: Collection[int],
    rate: UsualRate,
    threshold: float,
) -> RateChange | None:
    """The change that the sum shows at the end of these hours; None if it is below half of the threshold."""
    # What is expected is not known exactly: in doubt nothing has changed.
    doubt = 1 - rate.error if factor < 1 else 1 + rate.error
    gain, most = math.log(factor), threshold + KEPT_EVIDENCE
    evidence, since, came, expected = 0.0, 0, 0, 0.0
    is_certain = False
    for hour in hours:
        usual, count = rate.expect(hour), counts.get(hour, 0)
        if evidence <= 0.0:
            since, came, expected, is_certain = hour, 0, 0.0, False
        came, expected = came + count, expected + usual
        evidence = min(most, evidence + (count * gain + (1 - factor) * usual * doubt) / rate.scatter)
        evidence = max(0.0, evidence)
        is_long = max(came, expected) >= MIN_SPAN_EVENTS
        is_certain = (is_long and evidence >= threshold) or (is_certain and evidence >= threshold / 2)
    if evidence < threshold / 2:
        return None
    return RateChange(kind, since, came, expected, is_certain)
