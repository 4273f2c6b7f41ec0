"""The figures of stores, each under one name: on the pages, in the API and on the command line.

A name is words with dots between them, such as `messages.sent` or `events.by_name.order_new`; a page has it in the
`data-figure` of the figure. `tests/receiver/test_parity.py` compares the three.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection

from pipeline.backfill.progress import Progress, build_progress, load_progress
from pipeline.events.catalogue import EVENTS
from pipeline.ledger.backfills import ALL, DONE, PAUSED, RUNNING, SHORT, find_last_backfill
from pipeline.ledger.hook_findings import list_findings
from pipeline.ledger.queries.counts import ConnectionCounts, count_by_connection, count_events
from pipeline.ledger.queries.flow import load_flow
from pipeline.ledger.queries.reconciliations import list_reconciliations
from pipeline.ledger.queries.store_figures import HOUR_US, HOURS_PER_DAY, StoreFigures, load_store_figures
from pipeline.ledger.store_apis import find_store_api

Figures = dict[str, int | float]
HOOKS_WANTED = len(EVENTS)
_DAY_US = HOURS_PER_DAY * HOUR_US


def load_figures(
    conn: Connection, stores: Mapping[int, str], now: int, known: Mapping[int, StoreFigures] | None = None
) -> dict[str, Figures]:
    """Store -> its figures. `stores`: id -> name. `known`: what the caller has loaded already. Days are UTC."""
    found = known if known is not None else load_store_figures(conn, list(stores), now)
    connections = count_by_connection(conn, now) if stores else []
    return {
        name: {
            **_list_events(conn, name),
            **_list_today(conn, store_id, found[store_id], now),
            **_list_messages([row for row in connections if row.store == name]),
            **dict(_list_hooks(conn, store_id)),
            **dict(_list_week(conn, name, now)),
            **dict(_list_customers(conn, store_id, now)),
        }
        for store_id, name in stores.items()
    }


def find_shown_reading(conn: Connection, store_id: int, now: int) -> Progress | None:
    """The reading of all customers whose figures count: one under way, else the last that came to its end."""
    newest = load_progress(conn, store_id, now)
    if newest is not None and newest.state in (RUNNING, PAUSED) and newest.kind == ALL:
        return newest
    rows = [find_last_backfill(conn, store_id, kind=ALL, state=state) for state in (DONE, SHORT)]
    whole = max((row for row in rows if row is not None), key=lambda row: row.id, default=None)
    return None if whole is None else build_progress(whole, now)


def _list_events(conn: Connection, store: str) -> Figures:
    events = count_events(conn, store)
    return {
        "events.total": sum(events.by_name.values()),
        **{f"events.by_name.{name}": count for name, count in events.by_name.items()},
        **{f"events.by_outcome.{outcome}": count for outcome, count in events.by_outcome.items()},
        "hooks.repeats": events.duplicates,
        "hooks.unreadable": events.dead_hooks,
    }


def _list_today(conn: Connection, store_id: int, found: StoreFigures, now: int) -> Figures:
    today = now // _DAY_US * _DAY_US
    figures: Figures = {
        "events.today": found.events_today,
        "events.sent_today": load_flow(conn, [store_id], today, now, "hour").total.sent,
    }
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


def _list_hooks(conn: Connection, store_id: int) -> Iterator[tuple[str, int]]:
    """Those registered as they should be, as of the last audit. Nothing is known without Cratejoy's keys."""
    api = find_store_api(conn, store_id)
    if api is None or api.audited_at is None or not api.registers:
        return
    faulty = {row.event for row in list_findings(conn, store_id) if row.mended_at is None and row.kind != "foreign"}
    yield "hooks.registered", HOOKS_WANTED - len(faulty & set(EVENTS))
    yield "hooks.wanted", HOOKS_WANTED


def _list_week(conn: Connection, store: str, now: int) -> Iterator[tuple[str, int]]:
    for compared in list_reconciliations(conn, now, store):
        yield "week.expected", compared.expected
        yield "week.missed", compared.missed
        yield "week.late", compared.late


def _list_customers(conn: Connection, store_id: int, now: int) -> Iterator[tuple[str, int]]:
    shown = find_shown_reading(conn, store_id, now)
    if shown is not None:
        yield "customers.read", shown.customers
        if shown.customers_total is not None:
            yield "customers.total", shown.customers_total
