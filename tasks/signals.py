"""What Celery's processes do when they begin and end: log as all of ours do, share what they count, notice deafness."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from typing import Any

from celery.signals import (
    setup_logging,
    task_received,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutting_down,
)
from redis import RedisError

from pipeline import logs, traces
from pipeline.settings import Settings, process_environment
from tasks import parking, sharing, watchdog
from tasks.heaps import share_heaps
from tasks.lingering import lingering
from tasks.process import this_process


def configure_logs(**_: Any) -> None:
    """Instead of Celery's own set-up: with a receiver here it does nothing. A pool's children inherit it."""
    settings = Settings.from_environment(process_environment())
    logs.configure(settings.log_level, settings.log_format, sys.stderr)
    logs.catch_the_uncaught()


def child_begins(**_: Any) -> None:
    """A process of the pool, which runs tasks."""
    share_heaps()
    gc.freeze()  # what it was born with stays, and looking through it was an eighth of a hook's CPU
    sharing.begin()
    traces.begin(Settings.from_environment(process_environment()).traces_url, "cratewire-worker")


def child_ends(**_: Any) -> None:
    """It was asked to end, or has run its number of tasks."""
    lingering.end()
    sharing.end()
    traces.end()


def worker_begins(sender: Any, **_: Any) -> None:
    """The main process, which hears messages and runs no task of ours."""
    watchdog.begin(sender)
    with suppress(RedisError):  # then the next worker that starts does it
        parking.unpark(this_process().redis, sender.app, sender.app.tasks)


def message_taken(request: Any, **_: Any) -> None:
    """By the main process, which hears."""
    watchdog.taken(request)


def worker_ends(**_: Any) -> None:
    """From here on silence is no fault."""
    watchdog.end()


# As with tasks, Celery's importing this module is what makes it known.
setup_logging.connect(configure_logs)
worker_process_init.connect(child_begins)
worker_process_shutdown.connect(child_ends)
worker_ready.connect(worker_begins)
task_received.connect(message_taken)
worker_shutting_down.connect(worker_ends)
