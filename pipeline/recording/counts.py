"""What a batch changes in the kept counts: `pipeline.ledger.counts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.core.hooks import RECONCILE
from pipeline.ledger.counts.keys import DEAD, DUPLICATE, HOUR_US, NO_NAME, OF_NO_STORE, RECOVERED, CountKey
from pipeline.recording.dedup import Repeat
from pipeline.recording.events import EventDraft
from pipeline.recording.snapshot import WaitingDeadHook


def count_batch(
    events: Iterable[EventDraft],
    repeats: Iterable[Repeat],
    dead_rows: Iterable[Mapping[str, Any]],
    replayed: Iterable[str],
    waiting: Mapping[str, WaitingDeadHook],
) -> Counter[CountKey]:
    """What is to be counted of a batch. `replayed`: receipts of dead hooks that are events, or repeats, now.

    Events count by outcome, and those that only the API has shown as recovered too; repeats count in the hour in which
    the repeat was received. `waiting`: the dead hooks among all these that are stored, and counted, already.
    """
    changes = Counter(CountKey(one.store_id, one.received_at // HOUR_US, one.name, DUPLICATE) for one in repeats)
    for event in events:
        row = event.row
        store_id, hour = row["store_id"], row["received_at"] // HOUR_US
        changes[CountKey(store_id, hour, row["name"], row["outcome"])] += 1
        if row["source"] == RECONCILE:
            changes[CountKey(store_id, hour, NO_NAME, RECOVERED)] += 1
    for dead_row in dead_rows:
        if dead_row["receipt"] not in waiting:
            changes[_dead_key(dead_row["store_id"], dead_row["received_at"], dead_row["event"])] += 1
    for receipt in {*replayed} & waiting.keys():
        dead = waiting[receipt]
        changes[_dead_key(dead.store_id, dead.received_at, dead.event)] -= 1
    return changes


def _dead_key(store_id: int | None, received_at: int, event: str) -> CountKey:
    return CountKey(store_id or OF_NO_STORE, received_at // HOUR_US, event, DEAD)
