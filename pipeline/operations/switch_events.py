"""Chooses which events of a store go to its platforms."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.events.catalogue import EVENTS
from pipeline.ledger.audit import Actor, record_store_action
from pipeline.ledger.stores import StoreRow, set_forwarded_events


def list_forwarded(store: StoreRow) -> list[str]:
    """The events that go to the store's platforms, in the order of the catalogue."""
    return [name for name, row in EVENTS.items() if store.forwards(name, by_default=row.forwarded)]


def switch_events(
    conn: Connection, store: StoreRow, forwarded: Collection[str], actor: Actor, now: int, *, tests: bool
) -> bool:
    """Send exactly these events from now on; False if nothing changes. Events of before are not sent afterwards.

    `tests`: whether test-mode objects are sent too. Raise Misconfigured for an event that Cratejoy does not have.
    """
    unknown = set(forwarded) - EVENTS.keys()
    if unknown:
        raise Misconfigured(f"no such event: {', '.join(sorted(unknown))}; there are: {', '.join(sorted(EVENTS))}")
    before = list_forwarded(store)
    if set(before) == set(forwarded) and tests == store.forward_tests:
        return False
    also = [name for name in forwarded if not EVENTS[name].forwarded]
    without = [name for name, row in EVENTS.items() if row.forwarded and name not in forwarded]
    set_forwarded_events(conn, store.id, also=also, without=without, tests=tests)
    switched = {"on": sorted(set(forwarded) - set(before)), "off": sorted(set(before) - set(forwarded))}
    about = {name: events for name, events in switched.items() if events} | {"tests": str(tests).lower()}
    record_store_action(conn, store.id, actor, "store.events_changed", now, about)
    return True
