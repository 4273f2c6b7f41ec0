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

from pipeline.core.errors import Misconfigured
from pipeline.infra import logging, tracing
from pipeline.infra.embedded_valkey import require_active_run
from pipeline.infra.private_files import set_private_umask
from pipeline.ledger.migrations import is_behind
from pipeline.settings import Settings, read_environment
from tasks.process import get_process_context
from tasks.worker import memory_watch, metrics, unknown_tasks, watchdog
from tasks.worker.background_calls import background_calls
from tasks.worker.malloc import limit_heaps


def on_setup_logging(**_: Any) -> None:
    """Keep files private and log as the settings say, in a worker and in beat. A pool's children inherit both.

    With a receiver of this signal Celery's own set-up of logs does nothing.
    """
    settings = _prepare_process()
    logging.configure(settings.log_level, settings.log_format, sys.stderr)
    logging.install_exception_hooks()


def on_worker_init(**_: Any) -> None:
    """Before it takes messages: without its tables it could only fail at each. A database that is away comes back."""
    _prepare_process()
    with _exit_with_message(), suppress(SQLAlchemyError):
        if is_behind(get_process_context().engine):
            raise Misconfigured("the database is not at the newest revision: run `cratewire migrate` first")


def _prepare_process() -> Settings:
    """The settings of a process whose files are private, whose servers are not missing."""
    set_private_umask()
    with _exit_with_message():
        settings = Settings.from_environment(read_environment())
        if settings.embedded_redis:
            require_active_run(settings.data_dir)
        return settings


@contextmanager
def _exit_with_message() -> Iterator[None]:
    """A misconfiguration ends this process with its sentence and no trace. (Celery swallows what is an Exception.)"""
    try:
        yield
    except Misconfigured as error:
        sys.stderr.write(f"Error: {error}\n")
        raise SystemExit(1) from None


def on_child_start(**_: Any) -> None:
    """A process of the pool, which runs tasks."""
    limit_heaps()
    gc.freeze()  # what it was born with stays, and looking through it was an eighth of a hook's CPU
    metrics.start()
    tracing.start(Settings.from_environment(read_environment()).traces_url, "cratewire-worker")


def on_child_shutdown(**_: Any) -> None:
    """It was asked to end, or has run its number of tasks."""
    background_calls.end()
    metrics.stop()
    tracing.stop()


def on_worker_ready(sender: Any, **_: Any) -> None:
    """The main process, which hears messages and runs no task of ours."""
    watchdog.start(sender)
    memory_watch.start(get_process_context().redis)
    with suppress(RedisError):  # then the next worker that starts does it
        unknown_tasks.resend(get_process_context().redis, sender.app, sender.app.tasks)


def on_message_received(request: Any, **_: Any) -> None:
    """By the main process, which hears."""
    watchdog.count_taken(request)


def on_worker_shutting_down(**_: Any) -> None:
    """From here on silence is no fault."""
    watchdog.stop()


# As with tasks, Celery's importing this module is what makes it known.
setup_logging.connect(on_setup_logging)
worker_init.connect(on_worker_init)
worker_process_init.connect(on_child_start)
worker_process_shutdown.connect(on_child_shutdown)
worker_ready.connect(on_worker_ready)
task_received.connect(on_message_received)
worker_shutting_down.connect(on_worker_shutting_down)
