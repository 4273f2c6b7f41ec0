"""Rehearsals that were asked for on a page: one at a time, each in processes of its own."""

from __future__ import annotations

import structlog

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.rehearsals import WAITING, fail_stuck_rehearsals, list_open_rehearsals
from pipeline.rehearsal.run import remove_left_over
from pipeline.rehearsal.saved import run_saved
from tasks.app import app, task
from tasks.config import BACKFILL
from tasks.process import get_process_context
from tasks.worker.backpressure import is_stalled

log = structlog.get_logger(__name__)

LIMIT_S = 3_600
STUCK_US = 300 * 1_000_000  # without any progress
_ENDED = "the process that ran it has ended; ask again"


@task("rehearsals.run", limit_s=LIMIT_S)
def run(number: int) -> None:
    """Run one rehearsal to its end."""
    if run_saved(get_process_context(), number):
        log.info("rehearsal ended", rehearsal=number)


@task("rehearsals.tidy")
def tidy() -> None:
    """Remove what killed rehearsals have left on this host."""
    context = get_process_context()
    remove_left_over(context.settings.data_dir, context.now())


@task("rehearsals.sweep")
def sweep() -> None:
    """Start the next rehearsal, if none runs; one whose process has ended has failed."""
    context = get_process_context()
    now = context.now()
    with writing(context.engine) as conn:
        fail_stuck_rehearsals(conn, now - STUCK_US, _ENDED, now)
    with reading(context.engine) as conn:
        found = list_open_rehearsals(conn)
    if not is_stalled(app, BACKFILL) and found and all(row.state == WAITING for row in found):
        run.apply_async((found[0].id,), argsrepr=f"({found[0].id},)", expires=30)
