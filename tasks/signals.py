"""What Celery's processes do when they begin and end: log as all of ours do, share what they count, notice deafness."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from celery.signals import (
    setup_logging,
    task_received,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutting_down,
)
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from pipeline import logs, traces
from pipeline.embedded import require_run
from pipeline.errors import Misconfigured
from pipeline.ledger.migrations import is_behind
from pipeline.private_files import keep_new_files_private
from pipeline.settings import Settings, process_environment
from tasks import memory_watch, parking, sharing, watchdog
from tasks.heaps import share_heaps
from tasks.lingering import lingering
from tasks.process import this_process


def process_begins(**_: Any) -> None:
    """Keep files private and log as the settings say, in a worker and in beat. A pool's children inherit both.

    With a receiver of this signal Celery's own set-up of logs does nothing.
    """
    settings = _begun()
    logs.configure(settings.log_level, settings.log_format, sys.stderr)
    logs.catch_the_uncaught()


def worker_starts(**_: Any) -> None:
    """Before it takes messages: without its tables it could only fail at each. A database that is away comes back."""
    _begun()
    with _refusing_in_a_line(), suppress(SQLAlchemyError):
        if is_behind(this_process().engine):
            raise Misconfigured("the database is not at the newest revision: run `cratewire migrate` first")


def _begun() -> Settings:
    """The settings of a process whose files are private, whose servers are not missing."""
    keep_new_files_private()
    with _refusing_in_a_line():
        settings = Settings.from_environment(process_environment())
        if settings.embedded_redis:
            require_run(settings.data_dir)
        return settings


@contextmanager
def _refusing_in_a_line() -> Iterator[None]:
    """A misconfiguration ends this process with its sentence and no trace. (Celery swallows what is an Exception.)"""
    try:
        yield
    except Misconfigured as error:
        sys.stderr.write(f"Error: {error}\n")
        raise SystemExit(1) from None


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
    memory_watch.begin(this_process().redis)
    with suppress(RedisError):  # then the next worker that starts does it
        parking.unpark(this_process().redis, sender.app, sender.app.tasks)


def message_taken(request: Any, **_: Any) -> None:
    """By the main process, which hears."""
    watchdog.taken(request)


def worker_ends(**_: Any) -> None:
    """From here on silence is no fault."""
    watchdog.end()


# As with tasks, Celery's importing this module is what makes it known.
setup_logging.connect(process_begins)
worker_init.connect(worker_starts)
worker_process_init.connect(child_begins)
worker_process_shutdown.connect(child_ends)
worker_ready.connect(worker_begins)
task_received.connect(message_taken)
worker_shutting_down.connect(worker_ends)
