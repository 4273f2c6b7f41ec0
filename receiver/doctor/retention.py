"""Checks that old data is deleted in time, and that a SQLite file can give its space back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pipeline.ledger.engine import make_engine
from pipeline.ledger.queries import KeptData, list_kept_data
from pipeline.ledger.vacuum import can_give_back
from pipeline.monitoring.messages import format_time
from pipeline.operations.retention import get_days_by_kind
from pipeline.settings import Settings
from receiver.doctor.database import query_ledger
from receiver.doctor.finding import Finding

_MICROS = 1_000_000
_LATE_ADVICE = (
    "The task `retention.sweep` deletes it: are worker and beat running? It gives way to hooks; its "
    "errors are in the worker's log."
)
_REWRITE_ADVICE = "Run `cratewire migrate`: it rewrites the file once, or says why it cannot."


def check_retention(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Nothing if the database cannot be asked: that is a finding of its own."""
    at = round(now() * _MICROS)
    found = query_ledger(settings, lambda conn: list_kept_data(conn, get_days_by_kind(settings), at))
    if found is None:
        return
    yield _build_finding(found)
    engine = make_engine(settings.database_url)
    try:
        if not can_give_back(engine):
            yield Finding("free pages", "note", "deleted rows do not give their space back", _REWRITE_ADVICE)
    finally:
        engine.dispose()


def _build_finding(kept: Sequence[KeptData]) -> Finding:
    late = [f"{row.kind} since {format_time(row.oldest_at)} (kept for {row.days} days)" for row in kept if row.is_late]
    if late:
        return Finding("retention", "wrong", f"old data is not deleted: {', '.join(late)}", _LATE_ADVICE)
    return Finding("retention", "ok", "nothing is kept longer than the settings say")
