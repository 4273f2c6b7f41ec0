"""Finds what needs a person's attention, twice a minute, and retries paused connections."""

from __future__ import annotations

import structlog

from pipeline.attention import sweep as attention_sweep
from pipeline.core.errors import CratewireError
from pipeline.ledger.connections import find_connection
from pipeline.ledger.engine import reading
from pipeline.operations.pause import (
    claim_due_retries,
    is_paused_by_platform,
    resume_with_saved_keys,
    switch_off_failing,
)
from tasks.app import task
from tasks.config import DELIVERIES
from tasks.process import get_process_context
from tasks.silence import TASK_EXPIRES_S, build_monitoring_lease, notify

log = structlog.get_logger(__name__)


@task("attention.sweep")
def sweep() -> None:
    """Update the attention list and send its alerts, unless another sweep that sends alerts is running."""
    context = get_process_context()
    for connection_id in switch_off_failing(context):
        log.warning("switched a connection off: its platform has taken nothing for days", connection=connection_id)
    with build_monitoring_lease(context).hold() as is_held:
        if not is_held:
            return
        attention_sweep.sweep(context)
    for connection_id in claim_due_retries(context):
        retry.apply_async((connection_id,), queue=DELIVERIES, argsrepr=f"({connection_id},)", expires=TASK_EXPIRES_S)
    if context.settings.alarm_url:
        notify.apply_async(queue=DELIVERIES, expires=TASK_EXPIRES_S)


@task("attention.retry")
def retry(connection_id: int) -> None:
    """Resume a connection that its platform had refused, if the platform accepts its saved keys again."""
    context = get_process_context()
    with reading(context.engine) as conn:
        connection = find_connection(conn, connection_id)
    if connection is None or not is_paused_by_platform(connection.status_reason):
        return
    try:
        resume_with_saved_keys(
            context.engine,
            context.settings.secret_keys,
            connection,
            context.http,
            context.now(),
        )
    except CratewireError as error:
        log.info("the platform still refuses the connection", connection=connection_id, reason=str(error))
    else:
        log.warning("resumed the connection: its platform accepts the saved keys again", connection=connection_id)
