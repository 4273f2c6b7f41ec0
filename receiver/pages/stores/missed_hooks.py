"""What a store's page says of hooks that never came: the last seven days, as `cratewire reconcile report` has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.ledger.observed_events import DayCount
from pipeline.ledger.queries import ReconciliationSummary, count_last_week, list_reconciliations


@dataclass(frozen=True, slots=True)
class MissedHooksView:
    """`days`: those on which hooks of an event stayed away, or came late; the newest first."""

    compared: ReconciliationSummary
    days: Sequence[DayCount]


def load_missed_hooks(db: Connection, store: str, now: int) -> MissedHooksView | None:
    """None if the store's API cannot be compared: we have no keys for it."""
    found = list_reconciliations(db, now, store)
    days = [one for one in count_last_week(db, now, store) if one.missed or one.late]
    return MissedHooksView(found[0], days) if found else None
