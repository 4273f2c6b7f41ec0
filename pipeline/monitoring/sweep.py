"""One sweep of monitoring: collects activity, checks stores and the endpoint, diagnoses, notifies, watches the data."""

from __future__ import annotations

from pipeline.context import Context
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.inbox_fence import find_settled_event_id
from pipeline.ledger.monitoring.activity import collect_activity
from pipeline.ledger.monitoring.canaries import list_unsent_canaries
from pipeline.monitoring.canary import check_endpoint
from pipeline.monitoring.data_watch import watch_data
from pipeline.monitoring.diagnostics import collect_diagnostics, start_diagnostics
from pipeline.monitoring.notifications import enqueue_notifications
from pipeline.monitoring.silence_detector import (
    compute_expectations,
    end_resolved_alarms,
    find_stores_to_check,
    save_expectations,
)

STEP_TIMEOUT_US = 20_000_000  # of each part of a sweep: the next sweep goes on from there


def sweep(context: Context) -> list[int]:
    """Do one sweep. Return the ids of the canaries to send."""
    is_counted = _collect_all_activity(context)
    if is_counted:
        _check_stores(context)
    now = context.now()
    with writing(context.engine) as conn:
        check_endpoint(conn, context, now)
        collect_diagnostics(conn, context, now)
        enqueue_notifications(conn, context, now)
    watch_data(context, has_new_hours=is_counted)  # last: no notice waits for it
    with reading(context.engine) as conn:
        return list_unsent_canaries(conn)


def _collect_all_activity(context: Context) -> bool:
    """Return whether all events of the ledger have been counted. Before that, silence cannot be detected."""
    until = context.now() + STEP_TIMEOUT_US
    with writing(context.engine) as conn:
        settled_id = find_settled_event_id(conn)
    while context.now() < until:
        with writing(context.engine) as conn:
            if not collect_activity(conn, settled_id):
                return True
    return False


def _check_stores(context: Context) -> None:
    """Check the stores that are due, as far as the time allows."""
    until = context.now() + STEP_TIMEOUT_US
    with reading(context.engine) as conn:
        stores = find_stores_to_check(conn, context.now())
    for store_id in stores:
        if context.now() >= until:
            return
        _check_store(context, store_id, context.now())


def _check_store(context: Context, store_id: int, now: int) -> None:
    with writing(context.engine) as conn:
        end_resolved_alarms(conn, store_id, now)
    with reading(context.engine) as conn:
        expected = compute_expectations(conn, store_id, now)
    with writing(context.engine) as conn:
        if save_expectations(conn, store_id, expected, now):
            start_diagnostics(conn, context, store_id, now)
