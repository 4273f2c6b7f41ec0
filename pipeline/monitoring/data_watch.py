"""Watches what stores send: the keys of their bodies, and how often each event comes. Hooks do not wait for any of it.

Both read what was recorded: the last part of every sweep, which takes a bounded time, however many hooks come. While
more come than are looked at, every second, third … body is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import structlog
from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import BadHook
from pipeline.decode import decode
from pipeline.events.catalogue import EVENTS
from pipeline.infra.compression import decompress
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring import data_changes
from pipeline.ledger.monitoring.alarms import list_alarms_since, list_open_alarms
from pipeline.ledger.monitoring.rows import ANY_EVENT, ENDPOINT, HOUR_US, SILENCE, AlarmRow
from pipeline.ledger.queries.reconciliations import find_newest_event_id
from pipeline.monitoring.key_changes import EventKeys, KeyChange, KnownKey, SeenBody
from pipeline.monitoring.rate_changes import MIN_EVENTS, RateChange, find_rate_change
from pipeline.monitoring.thresholds import MAX_HISTORY_US, hours_between

log = structlog.get_logger(__name__)

MAX_BODIES = 1_000  # looked at in one sweep
BODIES_SLICE = 50  # read and learned at a time
MAX_BODY_BYTES = 5_000_000  # longer ones say nothing that others do not
MAX_STORES = 200  # whose rates are checked in one sweep
CHECK_TIMEOUT_US = 10_000_000
SHOWN_US = 7 * 86_400_000_000  # how long a change of a key is shown
KEY_KINDS = ("new_key", "vanished_key", "retyped_key")
_FLAT_FORMS = ("query", "form")  # every value is text there

Pair = tuple[int, str]


def watch_data(context: Context, *, has_new_hours: bool) -> None:
    """Watch keys and, if all activity is counted, rates. A fault of one is logged, and neither stops the other."""
    for watch in (watch_rates, watch_keys) if has_new_hours else (watch_keys,):
        try:
            watch(context)
        except Exception:
            log.exception("what stores send could not be watched", of=watch.__name__)


def watch_keys(context: Context) -> None:
    """Look at the bodies that came since the last time, some at a time, and open or end changes of keys.

    What there is no time for is looked at in the next sweep.
    """
    now = context.now()
    with reading(context.engine) as conn:
        after, until = data_changes.get_keys_cursor(conn), find_newest_event_id(conn)
    if until <= after:
        return
    every = max(1, -(-(until - after) // MAX_BODIES))
    while after < until and context.now() < now + CHECK_TIMEOUT_US:
        after = _watch_slice(context, after, until, every, now)
    with writing(context.engine) as conn:
        data_changes.end_old_changes(conn, KEY_KINDS, now - SHOWN_US, now)


def _watch_slice(context: Context, after: int, until: int, every: int, now: int) -> int:
    """Learn from the next bodies. Return the id of the last event that was looked at, which is saved with them."""
    with reading(context.engine) as conn:
        rows = data_changes.load_bodies(conn, after, until, every, BODIES_SLICE)
        seen = _read_bodies(rows)
        known = data_changes.load_event_keys(conn, seen.keys())
    learned = list(_learn_all(known, seen))
    looked_at = int(rows[-1].id) if len(rows) == BODIES_SLICE else until
    with writing(context.engine) as conn:
        data_changes.save_event_keys(conn, [_build_row(pair, keys) for pair, keys, _ in learned])
        for (store_id, event), keys, found in learned:
            _save_changes(conn, store_id, event, keys, found, now)
        data_changes.set_keys_cursor(conn, looked_at)
    return looked_at


def watch_rates(context: Context) -> None:
    """Check the rates of the stores that have a new hour, and open or end changes."""
    hour = context.now() // HOUR_US
    until = context.now() + CHECK_TIMEOUT_US
    with reading(context.engine) as conn:
        if list_open_alarms(conn, kind=ENDPOINT):
            return  # what does not arrive says nothing about the stores
        due = data_changes.list_stores_with_unchecked_hours(conn, hour, MAX_STORES)
    for store_id in due:
        if context.now() >= until:
            return
        _check_rates(context, store_id, hour)


def _read_bodies(rows: Iterable[Any]) -> dict[Pair, list[SeenBody]]:
    seen: dict[Pair, list[SeenBody]] = defaultdict(list)
    for row in rows:
        if row.form in _FLAT_FORMS or row.name not in EVENTS:
            continue
        try:
            body = decode(decompress(row.raw, MAX_BODY_BYTES)).body
        except BadHook:  # it was emptied meanwhile
            continue
        except Exception as error:  # noqa: BLE001 whatever is wrong with one body, the others are looked at
            log.warning("a body could not be watched", event_id=row.id, error=type(error).__name__)
            continue
        seen[row.store_id, row.name].append(SeenBody(row.id, row.received_at, body, row.unknown))
    return dict(seen)


def _learn_all(
    known: Mapping[Pair, Any], seen: Mapping[Pair, list[SeenBody]]
) -> Iterator[tuple[Pair, EventKeys, list[KeyChange]]]:
    for pair, bodies in sorted(seen.items(), key=lambda item: item[0]):
        try:
            keys, found = _learn(known.get(pair), bodies)
        except Exception as error:  # noqa: BLE001 the same for one event's keys
            log.warning("keys could not be learned", store=pair[0], name=pair[1], error=type(error).__name__)
            continue
        yield pair, keys, found


def _learn(stored: Any, bodies: list[SeenBody]) -> tuple[EventKeys, list[KeyChange]]:
    if stored is None:
        keys = EventKeys(since=bodies[0].at)
    else:
        known = {path: KnownKey.from_json(value) for path, value in stored.keys.items()}
        keys = EventKeys(stored.since, stored.bodies, known)
    return keys, [change for body in bodies for change in keys.learn(body)]


def _build_row(pair: Pair, keys: EventKeys) -> dict[str, Any]:
    store_id, event = pair
    stored = {path: known.to_json() for path, known in keys.keys.items()}
    return {"store_id": store_id, "event": event, "since": keys.since, "bodies": keys.bodies, "keys": stored}


def _save_changes(
    conn: Connection, store_id: int, event: str, keys: EventKeys, found: list[KeyChange], now: int
) -> None:
    for change in found:
        values = {"key": change.key, "was": change.was, "now": change.now}
        data_changes.open_change(
            conn, store_id, event, change.kind, now, event_id=change.event_id, since=change.at, **values
        )
    if keys.returned:
        data_changes.end_changes(conn, store_id, event, now, kinds=("vanished_key",), keys=keys.returned)


def _check_rates(context: Context, store_id: int, hour: int) -> None:
    now = context.now()
    with reading(context.engine) as conn:
        counts = data_changes.load_hourly_counts(conn, store_id, now - MAX_HISTORY_US)
        usual_since = data_changes.load_usual_since(conn, store_id)
        alarms = list_alarms_since(conn, store_id, now - MAX_HISTORY_US)
        open_ = {
            (row.event, row.kind): row
            for row in data_changes.list_open_changes(conn)
            if row.store_id == store_id and row.kind in data_changes.RATE_KINDS
        }
    watched = {event: by_hour for event, by_hour in counts.items() if sum(by_hour.values()) >= MIN_EVENTS}
    found: dict[str, RateChange | None] = {}
    for event, by_hour in watched.items():
        first = max(min(by_hour), usual_since.get(event, 0) // HOUR_US + 1)
        found[event] = find_rate_change(by_hour, first, hour, _list_outages(alarms, event, now), len(watched))
    silent = {row.event for row in alarms if row.kind == SILENCE and row.ended_at is None}
    with writing(context.engine) as conn:
        for event in {*found, *(event for event, _ in open_)}:
            change = None if {event, ANY_EVENT} & silent else found.get(event)
            _save_rate(conn, store_id, event, change, {kind for name, kind in open_ if name == event}, now)
        data_changes.mark_rates_checked(conn, store_id, hour)


def _save_rate(
    conn: Connection, store_id: int, event: str, change: RateChange | None, open_kinds: set[str], now: int
) -> None:
    """Open a change that is certain; keep one that is open as long as it shows."""
    over = open_kinds - ({change.kind} if change else set())
    if over:
        data_changes.end_changes(conn, store_id, event, now, kinds=over)
    if change is not None and (change.is_certain or change.kind in open_kinds):
        figures = {"was": str(round(change.expected)), "now": str(change.came)}
        data_changes.open_change(conn, store_id, event, change.kind, now, since=change.since_hour * HOUR_US, **figures)


def _list_outages(alarms: Iterable[AlarmRow], event: str, now: int) -> set[int]:
    """The hours in which it is known that hooks did not arrive."""
    return {
        hour
        for alarm in alarms
        if alarm.event in (ANY_EVENT, event)
        for hour in hours_between(alarm.last_at or alarm.since, alarm.ended_at or now)
    }
