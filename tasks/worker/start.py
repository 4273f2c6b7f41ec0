"""A worker as `cratewire run` starts it: in a fork that has imported everything, and without Celery's command line.

That would import another hundred modules for commands that are never called here. What the worker does is what the
Procfile's line says, and beat may run in its main process.
"""

from __future__ import annotations

import sys

import click
from celery.utils.nodenames import gethostname

from tasks.app import app
from tasks.worker.beat_thread import start_with_worker
from tasks.worker.on_demand import end_when_idle, wake_with_worker


@click.command()
@click.option("--name", required=True, help="The worker's name, in front of its host's.")
@click.option("--queues", required=True, help="What it takes messages from, with commas between.")
@click.option("--processes", type=click.IntRange(1), required=True, help="How many tasks it runs at a time, at most.")
@click.option("--with-beat", is_flag=True, help="Send the periodic tasks, too.")
@click.option(
    "--wake",
    type=(str, int),
    help="Queues, with commas between, and the open file to write to when messages wait there.",
)
@click.option("--until-idle-seconds", type=float, help="End when no message has come for so long.")
def main(
    name: str,
    queues: str,
    processes: int,
    wake: tuple[str, int] | None,
    until_idle_seconds: float | None,
    *,
    with_beat: bool,
) -> None:
    """Run a worker until a signal ends it."""
    if with_beat:
        start_with_worker(app)
    if wake is not None:
        wake_with_worker(app, wake[0].split(","), wake[1])
    if until_idle_seconds is not None:
        end_when_idle(until_idle_seconds)
    worker = app.Worker(
        hostname=f"{name}@{gethostname()}",
        pool_cls="prefork",
        autoscale=(processes, 1),
        queues=queues,
        loglevel="WARNING",
        task_events=True,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    worker.start()
    sys.exit(worker.exitcode)


if __name__ == "__main__":
    main()
