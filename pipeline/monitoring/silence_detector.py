"""Learns from a store's past when its next hooks are due, and opens and ends alarms about silences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.ledger.monitoring.activity import delete_old_hours, load_active_hours
from pipeline.ledger.monitoring.alarms import (
    end_alarms,
    list_alarms_since,
    list_open_alarms,
    list_recovered_stores,
    open_alarm,
)
from pipeline.ledger.monitoring.expectations import ExpectedHook, list_stores_to_check, replace_expectations
from pipeline.ledger.monitoring.rows import ANY_EVENT, ENDPOINT, SILENCE, ActiveHour, AlarmRow, NewAlarm
from pipeline.ledger.store_apis import find_store_api
from pipeline.monitoring.thresholds import MAX_HISTORY_US, hours_between, learn_threshold, merge_events

RELEARN_INTERVAL_US = 6 * 3_600_000_000


@dataclass(frozen=True, slots=True)
class _StoreHistory:
    """The active hours of one store, by event and for any event."""

    id: int
    hours_by_event: Mapping[str, Sequence[ActiveHour]]
    past_alarms: Sequence[AlarmRow]

    def excluded_hours(self, event: str, now: int) -> set[int]:
        """Hours of known outages, excluded from training and detection."""
        alarms = (alarm for alarm in self.past_alarms if alarm.event in (ANY_EVENT, event))
        return {hour for alarm in alarms for hour in hours_between(alarm.last_at or alarm.since, alarm.ended_at or now)}


def find_stores_to_check(conn: Connection, now: int) -> list[int]:
    """The stores with overdue hooks or new ones, and those that have recovered from an alarm."""
    return sorted({*list_stores_to_check(conn, now, now - RELEARN_INTERVAL_US), *list_recovered_stores(conn)})


def end_resolved_alarms(conn: Connection, store_id: int, now: int) -> None:
    """End the alarms of a store whose hooks arrive again, or are no longer expected."""
    is_expected = _expects_hooks(conn, store_id)
    for alarm in list_open_alarms(conn, store_id, SILENCE):
        by_event = load_active_hours(conn, store_id, alarm.last_at or 0)
        hours = merge_events(by_event.values()) if alarm.event == ANY_EVENT else by_event.get(alarm.event, ())
        recovered_at = _find_first_hook_after(hours, alarm.last_at or 0)
        if recovered_at is not None or not is_expected:
            end_alarms(conn, [alarm.id], recovered_at or now)


def compute_expectations(conn: Connection, store_id: int, now: int) -> dict[str, ExpectedHook]:
    """Learn when each event's next hook is due. Only reads: learning takes time, and hooks must not wait for a lock."""
    by_event = load_active_hours(conn, store_id, now - MAX_HISTORY_US)
    hours_by_event = {ANY_EVENT: merge_events(by_event.values()), **by_event}
    store = _StoreHistory(store_id, hours_by_event, list_alarms_since(conn, store_id, now - MAX_HISTORY_US))
    return {event: _compute_expectation(store, event, now) for event, hours in hours_by_event.items() if hours}


def save_expectations(conn: Connection, store_id: int, expected: Mapping[str, ExpectedHook], now: int) -> bool:
    """Write the expectations, and open alarms for overdue hooks. Return whether an alarm was opened."""
    delete_old_hours(conn, store_id, now - MAX_HISTORY_US)
    is_expected = _expects_hooks(conn, store_id)
    is_opened = is_expected and _open_overdue_alarms(conn, store_id, expected, now)
    silent = {alarm.event for alarm in list_open_alarms(conn, store_id, SILENCE)}
    rows = {
        event: _clear_if_silent(hook, ANY_EVENT in silent or event in silent or not is_expected)
        for event, hook in expected.items()
    }
    replace_expectations(conn, store_id, rows, now)
    return is_opened


def _compute_expectation(store: _StoreHistory, event: str, now: int) -> ExpectedHook:
    hours = store.hours_by_event[event]
    threshold = learn_threshold(hours, store.excluded_hours(event, now))
    last_at = hours[-1].last_at
    return ExpectedHook(last_at, threshold.get_due_at(last_at) if threshold else None)


def _clear_if_silent(expected: ExpectedHook, is_silent: bool) -> ExpectedHook:  # noqa: FBT001 it is the question
    """An event that is known to be silent is not due again, so that no sweep checks it for that."""
    return ExpectedHook(expected.last_at, None) if is_silent else expected


def _find_first_hook_after(hours: Sequence[ActiveHour], last_at: int) -> int | None:
    """When the first hook after `last_at` came."""
    for hour in hours:
        if hour.last_at > last_at:
            return max(hour.first_at, last_at + 1)
    return None


def _open_overdue_alarms(conn: Connection, store_id: int, expected: Mapping[str, ExpectedHook], now: int) -> bool:
    """Open one alarm if all events have stopped, else one for each event; none while the endpoint is broken."""
    known = {alarm.event for alarm in list_open_alarms(conn, store_id, SILENCE)}
    if ANY_EVENT in known or list_open_alarms(conn, kind=ENDPOINT):
        return False
    overdue = sorted(event for event, hook in expected.items() if hook.is_overdue(now) and event not in known)
    overdue = [ANY_EVENT] if ANY_EVENT in overdue else overdue
    for event in overdue:
        hook = expected[event]
        tolerated_us = (hook.due_at or now) - hook.last_at
        open_alarm(conn, NewAlarm(SILENCE, store_id, event, hook.last_at, tolerated_us), now)
    return bool(overdue)


def _expects_hooks(conn: Connection, store_id: int) -> bool:
    """Whether the store has hooks at all: `cratewire hooks remove` removes them."""
    api = find_store_api(conn, store_id)
    return api is None or api.registers
