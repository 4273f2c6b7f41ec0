"""The figures of stores, each under one name: on the pages, in the API and on the command line.

A name is words with dots between them, such as `messages.sent` or `events.by_name.order_new`; a page has it in the
`data-figure` of the figure. `tests/receiver/test_parity.py` compares the three.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from pipeline.backfill.progress import Progress, load_shown_readings
from pipeline.events.catalogue import EVENTS
from pipeline.ledger.counts.keys import HOUR_US, HOURS_PER_DAY
from pipeline.ledger.hook_findings import count_faulty_hooks
from pipeline.ledger.queries.counts import ConnectionCounts, EventCounts, count_by_connection, count_events_by_store
from pipeline.ledger.queries.flow import FlowCounts, load_flow_totals
from pipeline.ledger.queries.reconciliations import ReconciliationSummary, list_reconciliations
from pipeline.ledger.queries.store_figures import StoreFigures, load_store_figures
from pipeline.ledger.store_apis import list_audited_stores

Figures = dict[str, int | float]
HOOKS_WANTED = len(EVENTS)
_DAY_US = HOURS_PER_DAY * HOUR_US
Row = TypeVar("Row", ConnectionCounts, ReconciliationSummary)


def load_figures(conn: Connection, stores: Mapping[int, str], now: int) -> dict[str, Figures]:
    """Store -> its figures. `stores`: id -> name. Days are UTC. One store takes as many queries as twenty."""
    ids = list(stores)
    found, events = load_store_figures(conn, ids, now), count_events_by_store(conn, ids)
    today = load_flow_totals(conn, ids, now // _DAY_US * _DAY_US, now)
    connections = _by_store(count_by_connection(conn, now, ids))
    hooks, week = _count_hooks(conn, ids), _by_store(list_reconciliations(conn, now, stores.values()))
    readings = load_shown_readings(conn, ids, now)
    return {
        name: {
            **_list_events(events[store_id]),
            **_list_today(found[store_id], today[store_id]),
            **_list_messages(connections[name]),
            **hooks.get(store_id, {}),
            **dict(_list_week(week[name])),
            **_list_customers(readings.get(store_id)),
        }
        for store_id, name in stores.items()
    }


def _by_store(rows: Iterable[Row]) -> defaultdict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.store].append(row)
    return found


def _list_events(events: EventCounts) -> Figures:
    return {
        "events.total": sum(events.by_name.values()),
        **{f"events.by_name.{name}": count for name, count in events.by_name.items()},
        **{f"events.by_outcome.{outcome}": count for outcome, count in events.by_outcome.items()},
        "hooks.repeats": events.duplicates,
        "hooks.unreadable": events.dead_hooks,
    }


def _list_today(found: StoreFigures, today: FlowCounts) -> Figures:
    figures: Figures = {"events.today": found.events_today, "events.sent_today": today.sent}
    if found.usual_today is not None:
        figures |= {"events.usual_low": found.usual_today.low, "events.usual_high": found.usual_today.high}
    if found.arrival_times is not None:
        figures["events.arrival_most_s"] = found.arrival_times.most_s
    return figures


def _list_messages(connections: Sequence[ConnectionCounts]) -> Figures:
    figures: Figures = {
        "messages.waiting": sum(row.pending + row.sending for row in connections),
        "messages.sent": sum(row.sent for row in connections),
        "messages.refused": sum(row.dead for row in connections),
    }
    for row in connections:
        place = f"connections.{row.connection_id}"
        waiting = row.pending + row.sending
        figures |= {f"{place}.waiting": waiting, f"{place}.sent": row.sent, f"{place}.refused": row.dead}
    return figures


def _count_hooks(conn: Connection, store_ids: Collection[int]) -> dict[int, Figures]:
    """Those registered as they should be, as of the last audit. Nothing is known without Cratejoy's keys."""
    faulty = count_faulty_hooks(conn, store_ids)
    return {
        store_id: {"hooks.registered": HOOKS_WANTED - faulty.get(store_id, 0), "hooks.wanted": HOOKS_WANTED}
        for store_id in list_audited_stores(conn, store_ids)
    }


def _list_week(summaries: Sequence[ReconciliationSummary]) -> Iterator[tuple[str, int]]:
    for compared in summaries:
        yield "week.expected", compared.expected
        yield "week.missed", compared.missed
        yield "week.late", compared.late


def _list_customers(shown: Progress | None) -> Figures:
    if shown is None:
        return {}
    total: Figures = {} if shown.customers_total is None else {"customers.total": shown.customers_total}
    return {"customers.read": shown.customers, **total}
