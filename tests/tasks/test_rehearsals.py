"""A worker runs the rehearsal that a page has asked for."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import writing
from pipeline.ledger.rehearsals import insert_rehearsal
from pipeline.ledger.schema.rehearsals import SavedRehearsal
from pipeline.rehearsal.change import RehearsedChange, dump_change
from tasks import rehearsals
from tasks.app import app
from tasks.rehearsals import LIMIT_S, STUCK_US
from tests.installation import order_hook
from tests.servers.worker import worker
from tests.waiting import wait_until

CHANGE = dump_change(RehearsedChange(platform="segment"))


def ask(installed, *, at=0, is_waiting=True):
    with writing(installed.process.engine) as conn:
        now = installed.process.now() - at
        return insert_rehearsal(conn, 1, CHANGE, 400, now, is_waiting=is_waiting)


def states(installed):
    return [row.state for row in installed.rows(SavedRehearsal)]


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_real_worker_runs_it(installed, tmp_path):
    installed.connect({})
    installed.record(order_hook(1))
    ask(installed)

    with worker(installed.environment, tmp_path / "worker.log", queues="deliveries,backfill") as running:
        app.send_task("rehearsals.sweep", queue="deliveries")
        wait_until(lambda: states(installed) == ["done"], lambda: running.said)

    (row,) = installed.rows(SavedRehearsal)
    assert row.differences == 2


def test_one_that_has_stopped_without_a_word_has_failed(installed):
    installed.connect({})
    ask(installed, at=STUCK_US + 1, is_waiting=False)

    rehearsals.sweep()

    assert states(installed) == ["failed"]


def test_it_may_take_longer_than_other_tasks():
    assert app.tasks["rehearsals.run"].soft_time_limit == LIMIT_S
    assert app.tasks["rehearsals.run"].time_limit > LIMIT_S > app.conf.task_time_limit
