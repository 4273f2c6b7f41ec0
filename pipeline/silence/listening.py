"""Listens to what the ledger has recorded, learns from it, and opens and ends alarms about silences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.ledger.silence.alarms import (
    ANY,
    SILENCE,
    WAY_IN,
    AlarmRow,
    NewAlarm,
    alarms_since,
    end_alarms,
    open_alarm,
    open_alarms,
    stores_no_longer_silent,
)
from pipeline.ledger.silence.expectations import Expected, replace_expectations, stores_to_look_at
from pipeline.ledger.silence.heard import Heard, forget_hours, hours_of
from pipeline.ledger.store_apis import find_api
from pipeline.silence.learning import HISTORY_US, any_event, hours_between, learn

RELEARN_US = 6 * 3_600_000_000


@dataclass(frozen=True, slots=True)
class _Store:
    """One store at one moment: what was heard of each event, and of any."""

    id: int
    heard: Mapping[str, Sequence[Heard]]
    past: Sequence[AlarmRow]

    def deaf(self, event: str, now: int) -> set[int]:
        """Hours in which silence was a fault we know of: it is neither the past to learn from, nor held against us."""
        ours = (one for one in self.past if one.event in (ANY, event))
        return {hour for one in ours for hour in hours_between(one.last_at or one.since, one.ended_at or now)}


def stores_to_listen_to(db: Connection, now: int) -> list[int]:
    """Those of which something is late, or new, and those whose alarm is over."""
    return sorted({*stores_to_look_at(db, now, now - RELEARN_US), *stores_no_longer_silent(db)})


def end_what_is_over(db: Connection, store_id: int, now: int) -> None:
    """End the alarms of a store whose hooks have come again, or are no longer to come."""
    wanted = _is_wanted(db, store_id)
    for alarm in open_alarms(db, store_id, SILENCE):
        by_event = hours_of(db, store_id, alarm.last_at or 0)
        heard = any_event(by_event.values()) if alarm.event == ANY else by_event.get(alarm.event, ())
        came_at = _came_after(heard, alarm.last_at or 0)
        if came_at is not None or not wanted:
            end_alarms(db, [alarm.id], came_at or now)


def expect(db: Connection, store_id: int, now: int) -> dict[str, Expected]:
    """Learn what this store's silences mean. It only reads: learning takes time, and hooks must not wait for it."""
    by_event = hours_of(db, store_id, now - HISTORY_US)
    heard = {ANY: any_event(by_event.values()), **by_event}
    store = _Store(store_id, heard, alarms_since(db, store_id, now - HISTORY_US))
    return {event: _expected(store, event, now) for event, hours in heard.items() if hours}


def note_expected(db: Connection, store_id: int, expected: Mapping[str, Expected], now: int) -> bool:
    """Write it down, and open alarms about what is late; whether one was opened."""
    forget_hours(db, store_id, now - HISTORY_US)
    wanted = _is_wanted(db, store_id)
    opened = wanted and _open_what_is_late(db, store_id, expected, now)
    silent = {one.event for one in open_alarms(db, store_id, SILENCE)}
    known = {event: _unless(one, ANY in silent or event in silent or not wanted) for event, one in expected.items()}
    replace_expectations(db, store_id, known, now)
    return opened


def _expected(store: _Store, event: str, now: int) -> Expected:
    heard = store.heard[event]
    learned = learn(heard, store.deaf(event, now))
    return Expected(heard[-1].last_at, learned.due(heard[-1].last_at) if learned else None)


def _unless(expected: Expected, known: bool) -> Expected:  # noqa: FBT001 it is the question
    """Nothing is expected any more of whoever is known to be silent: nobody need look again for that."""
    return Expected(expected.last_at, None) if known else expected


def _came_after(heard: Sequence[Heard], last_at: int) -> int | None:
    """When the first hook came after that."""
    for hour in heard:
        if hour.last_at > last_at:
            return max(hour.first_at, last_at + 1)
    return None


def _open_what_is_late(db: Connection, store_id: int, expected: Mapping[str, Expected], now: int) -> bool:
    """Any event before each: when all of them stop, that is one alarm. None while the way in is known to be broken."""
    known = {one.event for one in open_alarms(db, store_id, SILENCE)}
    if ANY in known or open_alarms(db, kind=WAY_IN):
        return False
    late = sorted(event for event, one in expected.items() if one.is_late(now) and event not in known)
    late = [ANY] if ANY in late else late
    for event in late:
        one = expected[event]
        tolerated = (one.due_at or now) - one.last_at
        open_alarm(db, NewAlarm(SILENCE, store_id, event, one.last_at, tolerated), now)
    return bool(late)


def _is_wanted(db: Connection, store_id: int) -> bool:
    """Whether its hooks are to come at all: somebody may have had them removed."""
    api = find_api(db, store_id)
    return api is None or api.registers
