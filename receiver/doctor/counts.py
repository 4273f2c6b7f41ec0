"""Checks that the kept counts of the last two days are what the rows say, and that they are folded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Connection

from pipeline.core.plural import pluralize
from pipeline.ledger.counts.fold import count_changes
from pipeline.ledger.counts.keys import HOUR_US
from pipeline.ledger.counts.recount import find_differences
from pipeline.ledger.queries.activity_filter import LATE_US, find_id_recorded_by
from pipeline.settings import Settings
from receiver.doctor.database import query_ledger
from receiver.doctor.finding import Finding

HOURS = 48
MAX_CHANGES = 100_000
_MICROS = 1_000_000


def check_counts(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Nothing if the database cannot be asked: that is a finding of its own."""
    first_hour = round(now() * _MICROS) // HOUR_US - HOURS
    found = query_ledger(settings, lambda conn: _ask(conn, first_hour))
    if found is None:
        return
    wrong, waiting = found
    if wrong:
        says = f"{pluralize(wrong, 'kept count')} of the last {HOURS} hours differ from the rows"
        yield Finding("counts", "wrong", says, "Run `cratewire flow recount`: it corrects them.")
    elif waiting > MAX_CHANGES:
        says = f"{waiting} changes wait to be added to the kept counts, so that pages take longer"
        yield Finding("counts", "wrong", says, "The task `counts.sweep` adds them: are worker and beat running?")
    else:
        yield Finding("counts", "ok", f"the kept counts of the last {HOURS} hours are what the rows say")


def _ask(conn: Connection, first_hour: int) -> tuple[int, int]:
    first_id = find_id_recorded_by(conn, first_hour * HOUR_US - LATE_US)
    return len(find_differences(conn, first_hour, first_id)), count_changes(conn)
