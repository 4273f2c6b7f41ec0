"""People who are sent to a platform that was connected later: a turn for each connection, and none takes long."""

from __future__ import annotations

import structlog

from pipeline.ledger.connection_people import list_running
from pipeline.ledger.engine import reading
from pipeline.operations.send_people import send_people
from tasks.app import task
from tasks.process import get_process_context

log = structlog.get_logger(__name__)


@task("people.sweep")
def sweep() -> None:
    """Take a turn at every connection whose people are being sent."""
    context = get_process_context()
    with reading(context.engine) as conn:
        running = list_running(conn)
    for connection_id in running:
        slices = send_people(context, connection_id)
        log.debug("people were sent", connection=connection_id, slices=slices)
