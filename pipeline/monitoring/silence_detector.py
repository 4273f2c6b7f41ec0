"""Listens to what the ledger has recorded, learns from it, and opens and ends alarms about silences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.ledger.monitoring.activity import ActiveHour, delete_old_hours, load_active_hours
from pipeline.ledger.monitoring.alarms import (
    ANY_EVENT,
    ENDPOINT,
    SILENCE,
    AlarmRow,
    NewAlarm,
    end_alarms,
    list_alarms_since,
    list_open_alarms,
    list_recovered_stores,
    open_alarm,
)
from pipeline.ledger.monitoring.expectations import ExpectedHook, list_stores_to_check, replace_expectations
from pipeline.ledger.store_apis import find_store_api
from pipeline.monitoring.thresholds import MAX_HISTORY_US, hours_between, learn_threshold, merge_events

RELEARN_INTERVAL_US = 6 * 3_600_000_000


@dataclass(frozen=True, slots=True)
class _StoreHistory:
    """One store at one moment: what was heard of each event, and of any."""

    id: int
    heard: Mapping[str, Sequence[ActiveHour]]
    past_alarms: Sequence[AlarmRow]

    def excluded_hours(self, event: str, now: int) -> set[int]:
        """Hours in which silence was a fault we know of: it is neither the past to learn from, nor held against us."""
        ours = (one for one in self.past_alarms if one.event in (ANY_EVENT, event))
        return {hour for one in ours for hour in hours_between(one.last_at or one.since, one.ended_at or now)}


def find_stores_to_check(conn: Connection, now: int) -> list[int]:
    """Those of which something is late, or new, and those whose alarm is over."""
    return sorted({*list_stores_to_check(conn, now, now - RELEARN_INTERVAL_US), *list_recovered_stores(conn)})


def end_resolved_alarms(conn: Connection, store_id: int, now: int) -> None:
    """End the alarms of a store whose hooks have come again, or are no longer to come."""
    wanted = _expects_hooks(conn, store_id)
    for alarm in list_open_alarms(conn, store_id, SILENCE):
        by_event = load_active_hours(conn, store_id, alarm.last_at or 0)
        heard = merge_events(by_event.values()) if alarm.event == ANY_EVENT else by_event.get(alarm.event, ())
        came_at = _find_first_hook_after(heard, alarm.last_at or 0)
        if came_at is not None or not wanted:
            end_alarms(conn, [alarm.id], came_at or now)


def compute_expectations(conn: Connection, store_id: int, now: int) -> dict[str, ExpectedHook]:
    """Learn what this store's silences mean. It only reads: learning takes time, and hooks must not wait for it."""
    by_event = load_active_hours(conn, store_id, now - MAX_HISTORY_US)
    heard = {ANY_EVENT: merge_events(by_event.values()), **by_event}
    store = _StoreHistory(store_id, heard, list_alarms_since(conn, store_id, now - MAX_HISTORY_US))
    return {event: _compute_expectation(store, event, now) for event, hours in heard.items() if hours}


def save_expectations(conn: Connection, store_id: int, expected: Mapping[str, ExpectedHook], now: int) -> bool:
    """Write it down, and open alarms about what is late; whether one was opened."""
    delete_old_hours(conn, store_id, now - MAX_HISTORY_US)
    wanted = _expects_hooks(conn, store_id)
    opened = wanted and _open_overdue_alarms(conn, store_id, expected, now)
    silent = {one.event for one in list_open_alarms(conn, store_id, SILENCE)}
    known = {
        event: _clear_if_silent(one, ANY_EVENT in silent or event in silent or not wanted)
        for event, one in expected.items()
    }
    replace_expectations(conn, store_id, known, now)
    return opened


def _compute_expectation(store: _StoreHistory, event: str, now: int) -> ExpectedHook:
    heard = store.heard[event]
    learned = learn_threshold(heard, store.excluded_hours(event, now))
    return ExpectedHook(heard[-1].last_at, learned.due(heard[-1].last_at) if learned else None)


def _clear_if_silent(expected: ExpectedHook, is_silent: bool) -> ExpectedHook:  # noqa: FBT001 it is the question
    """Nothing is expected any more of whoever is known to be silent: nobody need look again for that."""
    return ExpectedHook(expected.last_at, None) if is_silent else expected


def _find_first_hook_after(heard: Sequence[ActiveHour], last_at: int) -> int | None:
    """When the first hook came after that."""
    for hour in heard:
        if hour.last_at > last_at:
            return max(hour.first_at, last_at + 1)
    return None


def _open_overdue_alarms(conn: Connection, store_id: int, expected: Mapping[str, ExpectedHook], now: int) -> bool:
    """Any event before each: when all of them stop, that is one alarm. None while the way in is known to be broken."""
    known = {one.event for one in list_open_alarms(conn, store_id, SILENCE)}
    if ANY_EVENT in known or list_open_alarms(conn, kind=ENDPOINT):
        return False
    late = sorted(event for event, one in expected.items() if one.is_overdue(now) and event not in known)
    late = [ANY_EVENT] if ANY_EVENT in late else late
    for event in late:
        one = expected[event]
        tolerated = (one.due_at or now) - one.last_at
        open_alarm(conn, NewAlarm(SILENCE, store_id, event, one.last_at, tolerated), now)
    return bool(late)


def _expects_hooks(conn: Connection, store_id: int) -> bool:
    """Whether its hooks are to come at all: somebody may have had them removed."""
    api = find_store_api(conn, store_id)
    return api is None or api.registers
