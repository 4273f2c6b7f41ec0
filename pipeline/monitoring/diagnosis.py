"""Has everything tried about a silence before anybody is told, and collects what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.ledger.monitoring.alarms import SILENCE, AlarmRow, list_open_alarms, record_diagnostics
from pipeline.monitoring.diagnostics import DIAGNOSTIC_CHECKS, DiagnosticCheck, SilentStore

DIAGNOSIS_TIMEOUT_US = 600_000_000  # then the alarm goes out without the sentences that are missing


def start_diagnostics(
    conn: Connection,
    context: Context,
    store_id: int,
    now: int,
    checks: Sequence[DiagnosticCheck] = DIAGNOSTIC_CHECKS,
) -> None:
    """Begin whatever can be tried for a store of which an alarm was opened now."""
    mine = [one for one in list_open_alarms(conn, store_id, SILENCE) if one.since == now]
    for attempt in checks if mine else ():
        if attempt.begin:
            attempt.begin(conn, _build_silent_store(context, mine, now))


def collect_diagnostics(
    conn: Connection, context: Context, now: int, checks: Sequence[DiagnosticCheck] = DIAGNOSTIC_CHECKS
) -> None:
    """Write down what was tried, for every alarm whose attempts have all come to an end, or had their time."""
    untried = [one for one in list_open_alarms(conn, kind=SILENCE) if one.tried_at is None]
    for _, alarms in groupby(sorted(untried, key=_group_key), key=_group_key):
        together = list(alarms)
        said = _describe_results(conn, _build_silent_store(context, together, now), checks)
        if said is not None:
            record_diagnostics(conn, [one.id for one in together], said, now)


def _describe_results(conn: Connection, silent: SilentStore, checks: Sequence[DiagnosticCheck]) -> list[str] | None:
    sentences = [(attempt.name, attempt.says(conn, silent)) for attempt in checks]
    if any(said is None for _, said in sentences) and silent.now < silent.since + DIAGNOSIS_TIMEOUT_US:
        return None
    return [said or f"Nothing came of {name} within ten minutes." for name, said in sentences]


def _group_key(alarm: AlarmRow) -> tuple[int, int]:
    """Alarms of one store that were opened together are tried together."""
    return alarm.store_id or 0, alarm.since


def _build_silent_store(context: Context, alarms: Sequence[AlarmRow], now: int) -> SilentStore:
    first = alarms[0]
    last_at = min(one.last_at or 0 for one in alarms)
    return SilentStore(
        first.store_id or 0,
        first.store or "",
        last_at,
        first.since,
        now,
        context,
    )
