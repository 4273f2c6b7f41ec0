"""The flow: of all hooks received in a span of time, how many are where. Every hook is in exactly one place.

Read from the kept counts, and from the few forwarded events that are not at the platform: it costs as much as there are
hours or days in the span, and such events since its beginning, however many have arrived. All is counted by one
statement, so that the numbers are of one moment and add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Subquery,
    and_,
    func,
    literal,
    select,
    union_all,
)

from pipeline.ledger.counts.fold import load_marks
from pipeline.ledger.counts.keys import ARRIVALS, DEAD, DUPLICATE, HOUR_US, HOURS_PER_DAY, RECOVERED
from pipeline.ledger.counts.messages import FORWARDED, select_not_sent
from pipeline.ledger.deliveries.withhold import WITHHELD
from pipeline.ledger.queries.activity_filter import LATE_US, find_id_recorded_by
from pipeline.ledger.schema.counts import CountChange, DailyCount, HourlyCount

Step = Literal["hour", "day"]

_NOW = "now_"  # before the state of an event that is not at the platform now
# What is counted -> the place in the flow; every other outcome is of an event that was kept and not sent.
_PLACES = {
    DUPLICATE: "repeats",
    DEAD: "unreadable",
    WITHHELD: "withheld",
    FORWARDED: "sent",
    RECOVERED: "recovered",
    f"{_NOW}waiting": "waiting",
    f"{_NOW}refused": "refused",
    f"{_NOW}withheld": "withheld",
    f"{_NOW}kept": "kept",
    "deleted_refused": "refused",
    "deleted_withheld": "withheld",
    "deleted_stopped": "kept",
}


@dataclass(frozen=True, slots=True)
class FlowCounts:
    """How many hooks are where: `received` is the sum of the first seven. An event counts by the worst of its messages.

    `recovered`: of those received, the events that only the store's API has shown, because their hook never came.
    """

    repeats: int = 0
    unreadable: int = 0
    kept: int = 0
    withheld: int = 0
    waiting: int = 0
    sent: int = 0
    refused: int = 0
    recovered: int = 0

    @property
    def received(self) -> int:
        """All that came in: hooks, and recovered events."""
        return self.repeats + self.unreadable + self.events

    @property
    def events(self) -> int:
        """What became an event."""
        return self.kept + self.withheld + self.waiting + self.sent + self.refused


def list_numbers(counts: FlowCounts) -> dict[str, int]:
    """Every number under its name, `received` first: the same names on pages, in the API and on the command line."""
    return {"received": counts.received, **asdict(counts)}


@dataclass(frozen=True, slots=True)
class FlowPart:
    """One hour, or one day in UTC, of a flow. Times in µs, `until` excluded."""

    since: int
    until: int
    counts: FlowCounts


@dataclass(frozen=True, slots=True)
class Flow:
    """The flow of a span of whole hours, or of whole days where the counts by hour are too old to be kept."""

    since: int
    until: int
    step: Step
    total: FlowCounts
    parts: tuple[FlowPart, ...]  # those in which something was received, the oldest first


def load_flow(conn: Connection, store_ids: Collection[int] | None, since: int, until: int, step: Step) -> Flow:
    """The flow of these stores, or of all, from one time to another (µs), in steps of an hour or a day.

    The span is widened to whole hours. `store_ids` None: all, also hooks to URLs of unknown stores.
    """
    first, end = _find_hours(since, until)
    hours_kept_from = load_marks(conn).get("hours", -1) + 1
    if first < hours_kept_from:
        first, end, step = _floor_day(first), -_floor_day(-end), "day"
    by_part: dict[int, Counter[str]] = {}
    counted = _select_counts(conn, store_ids, first, end, step).subquery()
    for part, outcome, number in conn.execute(_add_up(counted, counted.c.part)):
        by_part.setdefault(part, Counter())[outcome] += int(number)
    length = HOUR_US * (HOURS_PER_DAY if step == "day" else 1)
    parts = tuple(_build_parts(by_part, first * HOUR_US, end * HOUR_US, length))
    total: Counter[str] = Counter()
    for found in by_part.values():
        total.update(found)
    return Flow(first * HOUR_US, end * HOUR_US, step, _place(total), parts)


def load_flow_totals(conn: Connection, store_ids: Collection[int], since: int, until: int) -> dict[int, FlowCounts]:
    """Store id -> what the flow of the store alone would show in total. The span's hours must be kept still."""
    first, end = _find_hours(since, until)
    counted = _select_counts(conn, store_ids, first, end, "hour").subquery()
    found: dict[int, Counter[str]] = {store_id: Counter() for store_id in store_ids}
    for store_id, outcome, number in conn.execute(_add_up(counted, counted.c.store_id)):
        found[store_id][outcome] += int(number)
    return {store_id: _place(numbers) for store_id, numbers in found.items()}


def _find_hours(since: int, until: int) -> tuple[int, int]:
    first, end = since // HOUR_US, -(-until // HOUR_US)
    return first, max(first, end)


def _add_up(counted: Subquery, key: ColumnElement[Any]) -> Select[Any]:
    """(key, outcome, number)."""
    columns = key, counted.c.outcome
    return select(*columns, func.sum(counted.c.number)).group_by(*columns)


def _build_parts(found: Mapping[int, Counter[str]], since: int, until: int, length: int) -> Iterator[FlowPart]:
    for part in sorted(found):
        begin, end = max(part * length, since), min((part + 1) * length, until)
        counts = _place(found[part])
        if counts != FlowCounts():
            yield FlowPart(begin, end, counts)


def _place(found: Mapping[str, int]) -> FlowCounts:
    placed: Counter[str] = Counter()
    for outcome, number in found.items():
        placed[_PLACES.get(outcome, "kept")] += number
        if outcome.startswith((_NOW, "deleted_")):
            placed["sent"] -= number
    return FlowCounts(**{field.name: placed[field.name] for field in fields(FlowCounts)})


def _select_counts(
    conn: Connection, store_ids: Collection[int] | None, first: int, end: int, step: Step
) -> CompoundSelect[Any]:
    """(store_id, hour or day, outcome, number) of what is counted from the first hour until the end, excluded."""
    parts = [_of_hours(HourlyCount, store_ids, first, end, step), _of_hours(CountChange, store_ids, first, end, step)]
    if step == "day":
        first_day, end_day = -(-first // HOURS_PER_DAY), end // HOURS_PER_DAY
        if first_day < end_day:
            of_days = _among(DailyCount, store_ids), DailyCount.day >= first_day, DailyCount.day < end_day
            columns: tuple[Any, ...] = DailyCount.store_id, DailyCount.day.label("part"), DailyCount.outcome
            parts = [
                select(*columns, DailyCount.number).where(*of_days),
                _of_hours(HourlyCount, store_ids, first, first_day * HOURS_PER_DAY, step),
                _of_hours(HourlyCount, store_ids, end_day * HOURS_PER_DAY, end, step),
                parts[1],
            ]
    first_id = find_id_recorded_by(conn, first * HOUR_US - LATE_US) + 1  # nothing is received after it is recorded
    not_sent = select_not_sent(store_ids, first_id).subquery()
    hour = not_sent.c.received_at // HOUR_US
    state = literal(_NOW, literal_execute=True) + not_sent.c.state
    now = select(not_sent.c.store_id, _part(hour, step).label("part"), state.label("outcome"), literal(1))
    return union_all(*parts, now.where(hour >= first, hour < end))


def _of_hours(
    model: type[HourlyCount | CountChange], store_ids: Collection[int] | None, first: int, end: int, step: Step
) -> Select[Any]:
    among = _among(model, store_ids), model.hour >= first, model.hour < end
    columns: tuple[Any, ...] = model.store_id, _part(model.hour, step).label("part"), model.outcome, model.number
    return select(*columns).where(*among)


def _among(
    model: type[HourlyCount | DailyCount | CountChange], store_ids: Collection[int] | None
) -> ColumnElement[bool]:
    """Of these stores; without the arrivals, which are counted by the hour of arriving."""
    is_counted = model.outcome.not_in(ARRIVALS)
    return is_counted if store_ids is None else and_(is_counted, model.store_id.in_(store_ids))


def _part(hour: Any, step: Step) -> Any:
    return hour // HOURS_PER_DAY if step == "day" else hour


def _floor_day(hour: int) -> int:
    return hour // HOURS_PER_DAY * HOURS_PER_DAY
