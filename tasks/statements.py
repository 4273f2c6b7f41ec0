"""Closes the months of stores that have ended, every hour."""

from __future__ import annotations

import structlog

from pipeline.operations import statements
from tasks.app import task
from tasks.process import get_process_context

log = structlog.get_logger(__name__)


@task("statements.close")
def close() -> None:
    """Close the months that have ended."""
    if closed := statements.close_ended_months(get_process_context()):
        log.info("closed months", months=closed)
