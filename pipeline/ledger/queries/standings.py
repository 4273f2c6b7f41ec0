"""How each store is doing: who needs a person, which ones catch up by themselves. Costs as much as there are stores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import Connection, exists, func, select

from pipeline.core.hooks import TEST
from pipeline.ledger.backfills import ALL, FAILED, RUNNING
from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.monitoring.alarms import list_open_alarms
from pipeline.ledger.monitoring.rows import ENDPOINT, AlarmRow
from pipeline.ledger.retention.past import DEAD, REPLAYED
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.core import Delivery, Event, Store, StoreConnection
from pipeline.ledger.schema.retention import PastCount
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.ledger.store_apis import ACTIVE

NO_TEST = Event.is_test.is_(False)  # neither of ours nor of the shop
StoreState = Literal["needs_you", "catching_up", "not_started", "working"]
STORE_STATES: tuple[StoreState, ...] = get_args(StoreState)  # the worst first
_NO_PAST_EVENTS = (TEST, DEAD, REPLAYED)  # what else is counted of the rows that were deleted
WAITING_LONG_US = 60_000_000  # a message that waits longer is late


@dataclass(frozen=True, slots=True)
class StoreStanding:
    """How a store is doing. `alarms`: what needs a person in it, the oldest first: what no one has set aside, also
    what concerns all stores.
    """

    store_id: int
    state: StoreState
    alarms: tuple[AlarmRow, ...] = ()


def load_standings(conn: Connection, store_ids: Collection[int], now: int) -> dict[int, StoreStanding]:
    """Store id -> how the store is doing. Of several things that are so, the worst counts."""
    alarms = _load_alarms(conn, store_ids)
    stopped = {store_id for store_id in store_ids if alarms[store_id]} | _find_stopped(conn, store_ids)
    late = _find_late(conn, store_ids, now)
    started = _find_started(conn, store_ids)

    def judge(store_id: int) -> StoreState:
        if store_id in stopped:
            return "needs_you"
        if store_id in late:
            return "catching_up"
        return "working" if store_id in started else "not_started"

    return {store_id: StoreStanding(store_id, judge(store_id), tuple(alarms[store_id])) for store_id in store_ids}


def _load_alarms(conn: Connection, store_ids: Collection[int]) -> defaultdict[int, list[AlarmRow]]:
    found: defaultdict[int, list[AlarmRow]] = defaultdict(list)
    for alarm in (row for row in list_open_alarms(conn) if not row.is_set_aside):
        for store_id in store_ids if alarm.kind == ENDPOINT else (alarm.store_id,):
            if store_id is not None:
                found[store_id].append(alarm)
    return found


def _find_stopped(conn: Connection, store_ids: Collection[int]) -> set[int]:
    """Stores in which something waits for a person, whether or not a sweep has opened an alarm about it yet."""
    link, api = StoreConnection, StoreAPI
    newest = select(func.max(Backfill.id)).where(Backfill.store_id.in_(store_ids)).group_by(Backfill.store_id)
    return _collect(
        conn,
        select(link.store_id).where(link.store_id.in_(store_ids), link.status != ACTIVE),
        select(api.store_id).where(api.store_id.in_(store_ids), api.status != ACTIVE),
        select(Backfill.store_id).where(Backfill.id.in_(newest), Backfill.state == FAILED),
    )


def _find_late(conn: Connection, store_ids: Collection[int], now: int) -> set[int]:
    """Stores whose customers are being read, or of which a message waits for long."""
    link = StoreConnection
    waits = exists().where(OPEN, Delivery.connection_id == link.id, Delivery.created_at < now - WAITING_LONG_US)
    reads = Backfill.store_id.in_(store_ids), Backfill.state == RUNNING, Backfill.kind == ALL
    return _collect(
        conn,
        select(link.store_id).where(link.store_id.in_(store_ids), waits),
        select(Backfill.store_id).where(*reads),
    )


def _find_started(conn: Connection, store_ids: Collection[int]) -> set[int]:
    """Stores that have had an event other than tests, be it one that is no longer kept."""
    has_event = exists().where(Event.store_id == Store.id, NO_TEST)
    had_event = exists().where(PastCount.store_id == Store.id, PastCount.outcome.not_in(_NO_PAST_EVENTS))
    return _collect(conn, select(Store.id).where(Store.id.in_(store_ids), has_event | had_event))


def _collect(conn: Connection, *queries: Any) -> set[int]:
    return {store_id for query in queries for store_id in conn.execute(query).scalars()}
