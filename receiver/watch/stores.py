"""The gauges about stores' APIs: how the reading of customers goes on, and how far hooks have been compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.backfill.progress import Progress, progress_of
from pipeline.ledger.backfills import RUNNING
from pipeline.ledger.reading import ReconciliationShown, newest_backfills, reconciliations
from receiver.watch.gauges import Seen

_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Stores:
    """`backfills`: store -> its newest one. `by_itself`: whether comparing happens without being asked for."""

    backfills: Mapping[str, Progress]
    reconciliations: Sequence[ReconciliationShown]
    by_itself: bool = True


def stores(db: Connection, now: int, *, by_itself: bool) -> Stores:
    """As the ledger has them."""
    backfills = {name: progress_of(row, now) for name, row in newest_backfills(db).items()}
    return Stores(backfills, reconciliations(db, now), by_itself)


def in_stores(found: Stores, now: int) -> Iterator[Seen]:
    """What can be told of them now."""
    for store, progress in found.backfills.items():
        yield Seen("cratewire_backfill_state", 1, (store, progress.state))
        yield from _under_way(store, progress, now)
    for one in found.reconciliations:
        if found.by_itself:
            done = one.complete_until if one.complete_until is not None else one.since
            yield Seen("cratewire_reconciliation_age_seconds", max(0, now - done) / _MICROS, (one.store,))
        yield Seen("cratewire_missed_hooks_ratio", one.rate, (one.store,))


def _under_way(store: str, progress: Progress, now: int) -> Iterator[Seen]:
    """A backfill that has ended has nothing more to say: its pages are in the ledger."""
    if progress.next_step_at is None:
        return
    yield Seen("cratewire_backfill_read_pages", progress.pages, (store,))
    if progress.pages_total is not None:
        yield Seen("cratewire_backfill_expected_pages", progress.pages_total, (store,))
    if progress.state == RUNNING:
        yield Seen("cratewire_backfill_rest_seconds", max(0, progress.next_step_at - now) / _MICROS, (store,))
        yield Seen("cratewire_backfill_overdue_seconds", max(0, now - progress.next_step_at) / _MICROS, (store,))
