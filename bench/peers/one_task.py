"""The same work as in `textbook`, in a single Celery task that is acknowledged late."""

from __future__ import annotations

import os

from celery import Celery

from bench.peers import work

app = Celery("one_task", broker=os.environ["PEER_REDIS"])  # noqa: TID251 a peer has no settings of ours
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, task_ignore_result=True)


@app.task  # type: ignore[untyped-decorator] # as commonly written
def deliver(event: str, raw: str) -> None:
    work.send(work.fan_out(event, work.validate(work.decode(raw))))


def take(event: str, raw: str) -> None:
    """What the Flask view does with a hook."""
    deliver.delay(event, raw)
