"""What a store's page says of hooks that never came: the last seven days, as `cratewire reconcile report` has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.ledger.reading import ReconciliationShown, reconciliations, week_by_day
from pipeline.ledger.shown import DayCount


@dataclass(frozen=True, slots=True)
class MissedShown:
    """`days`: those on which hooks of an event stayed away, or came late; the newest first."""

    compared: ReconciliationShown
    days: Sequence[DayCount]


def missed_shown(db: Connection, store: str, now: int) -> MissedShown | None:
    """None if the store's API cannot be compared: we have no keys for it."""
    found = reconciliations(db, now, store)
    days = [one for one in week_by_day(db, now, store) if one.missed or one.late]
    return MissedShown(found[0], days) if found else None
