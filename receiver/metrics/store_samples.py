"""The gauges about stores' APIs: how the reading of customers goes on, and how far hooks have been compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.backfill.progress import Progress, build_progress
from pipeline.ledger.backfills import RUNNING
from pipeline.ledger.queries import ReconciliationSummary, list_reconciliations, load_newest_backfills
from receiver.metrics.gauges import Sample

_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class StoreStates:
    """`backfills`: store -> its newest one. `by_itself`: whether comparing happens without being asked for."""

    backfills: Mapping[str, Progress]
    reconciliations: Sequence[ReconciliationSummary]
    is_scheduled: bool = True


def load_store_states(db: Connection, now: int, *, is_scheduled: bool) -> StoreStates:
    """As the ledger has them."""
    backfills = {name: build_progress(row, now) for name, row in load_newest_backfills(db).items()}
    return StoreStates(backfills, list_reconciliations(db, now), is_scheduled)


def collect_stores(found: StoreStates, now: int) -> Iterator[Sample]:
    """What can be told of them now."""
    for store, progress in found.backfills.items():
        yield Sample("cratewire_backfill_state", 1, (store, progress.state))
        yield from _collect_open_backfill(store, progress, now)
    for one in found.reconciliations:
        if found.is_scheduled:
            done = one.complete_until if one.complete_until is not None else one.since
            yield Sample("cratewire_reconciliation_age_seconds", max(0, now - done) / _MICROS, (one.store,))
        yield Sample("cratewire_missed_hooks_ratio", one.rate, (one.store,))


def _collect_open_backfill(store: str, progress: Progress, now: int) -> Iterator[Sample]:
    """A backfill that has ended has nothing more to say: its pages are in the ledger."""
    if progress.next_step_at is None:
        return
    yield Sample("cratewire_backfill_read_pages", progress.pages, (store,))
    if progress.pages_total is not None:
        yield Sample("cratewire_backfill_expected_pages", progress.pages_total, (store,))
    if progress.state == RUNNING:
        yield Sample("cratewire_backfill_rest_seconds", max(0, progress.next_step_at - now) / _MICROS, (store,))
        yield Sample("cratewire_backfill_overdue_seconds", max(0, now - progress.next_step_at) / _MICROS, (store,))
