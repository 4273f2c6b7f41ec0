"""The figures of stores, each under one name: on the pages, in the API and on the command line.

A name is words with dots between them, such as `messages.sent` or `events.by_name.order_new`; a figure is a whole
number. `tests/receiver/test_parity.py` compares the three.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from pipeline.ledger.queries.counts import ConnectionCounts, count_by_connection, count_events
from pipeline.ledger.queries.reconciliations import list_reconciliations

Figures = dict[str, int]


def load_figures(conn: Connection, stores: Sequence[str], now: int) -> dict[str, Figures]:
    """Store -> its figures."""
    connections = count_by_connection(conn, now) if stores else []
    return {
        store: _load_store(conn, store, [row for row in connections if row.store == store], now) for store in stores
    }


def _load_store(conn: Connection, store: str, connections: Sequence[ConnectionCounts], now: int) -> Figures:
    events = count_events(conn, store)
    figures = {
        "events.total": sum(events.by_name.values()),
        **{f"events.by_name.{name}": count for name, count in events.by_name.items()},
        **{f"events.by_outcome.{outcome}": count for outcome, count in events.by_outcome.items()},
        "hooks.repeats": events.duplicates,
        "hooks.unreadable": events.dead_hooks,
        "messages.waiting": sum(row.pending + row.sending for row in connections),
        "messages.sent": sum(row.sent for row in connections),
        "messages.refused": sum(row.dead for row in connections),
    }
    for row in connections:
        figures |= {
            f"connections.{row.connection_id}.waiting": row.pending + row.sending,
            f"connections.{row.connection_id}.sent": row.sent,
            f"connections.{row.connection_id}.refused": row.dead,
        }
    for compared in list_reconciliations(conn, now, store):
        figures |= {
            "week.expected": compared.expected,
            "week.missed": compared.missed,
            "week.late": compared.late,
        }
    return figures
