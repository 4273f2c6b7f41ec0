"""Handlers of Celery's signals: set up logging, metrics, tracing and watchdogs when processes start and stop."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from billiard.util import get_pdeathsig
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
from sqlalchemy.orm import configure_mappers

from pipeline.core.errors import Misconfigured
from pipeline.infra import logging, tracing
from pipeline.infra.embedded_valkey import require_active_run
from pipeline.infra.private_files import set_private_umask
from pipeline.ledger.revision import is_behind
from pipeline.settings import Settings, read_environment
from tasks.process import get_process_context
from tasks.worker import memory_watch, metrics, unknown_tasks, watchdog
from tasks.worker.background_calls import background_calls
from tasks.worker.malloc import limit_heaps


def on_setup_logging(**_: Any) -> None:
    """Make files private and configure logging in a worker and in beat. The pool's processes inherit both.

    With a handler of this signal Celery does not configure logging itself.
    """
    settings = _prepare_process()
    logging.configure(settings.log_level, settings.log_format, sys.stderr)
    logging.install_exception_hooks()


def on_worker_init(**_: Any) -> None:
    """Exit before taking messages if the database is not migrated. An unavailable database is waited for."""
    _prepare_process()
    load_before_fork()
    with _exit_with_message(), suppress(SQLAlchemyError):
        if is_behind(get_process_context().engine):
            raise Misconfigured("the database is not at the newest revision: run `cratewire migrate` first")


def load_before_fork() -> None:
    """Load what every process of the pool would otherwise load again, each into memory of its own.

    To ask for a signal at its parent's death, billiard has cffi parse C: a third of a second, and 10 MB. SQLAlchemy
    configures its mappers when the first is used: 5 MB.
    """
    configure_mappers()
    with suppress(OSError):
        get_pdeathsig()


def _prepare_process() -> Settings:
    """Make files private, check the embedded servers and return the settings. Exits on a misconfiguration."""
    set_private_umask()
    with _exit_with_message():
        settings = Settings.from_environment(read_environment())
        if settings.embedded_redis:
            require_active_run(settings.data_dir)
        return settings


@contextmanager
def _exit_with_message() -> Iterator[None]:
    """Exit with the message of a Misconfigured error and no traceback. (Celery swallows an Exception.)"""
    try:
        yield
    except Misconfigured as error:
        sys.stderr.write(f"Error: {error}\n")
        raise SystemExit(1) from None


def on_child_start(**_: Any) -> None:
    """Prepare a process of the pool, which runs tasks."""
    limit_heaps()
    gc.freeze()  # objects from before the fork stay; collecting among them was an eighth of a hook's CPU
    metrics.start()
    tracing.start(Settings.from_environment(read_environment()).traces_url, "cratewire-worker")


def on_child_shutdown(**_: Any) -> None:
    """Finish: the process was asked to exit, or has run its number of tasks."""
    background_calls.wait_until_done()
    metrics.stop()
    tracing.stop()


def on_worker_ready(sender: Any, **_: Any) -> None:
    """Start the watchdogs of the main process, which takes messages and runs no task."""
    watchdog.start(sender)
    memory_watch.start(get_process_context().redis)
    with suppress(RedisError):  # the next worker that starts does it then
        unknown_tasks.resend(get_process_context().redis, sender.app, sender.app.tasks)


def on_message_received(request: Any, **_: Any) -> None:
    """Count the message for the watchdog of the main process."""
    watchdog.count_taken(request)


def on_worker_shutting_down(**_: Any) -> None:
    """Stop the watchdog: the worker stops taking messages."""
    watchdog.stop()


# Connected when Celery imports this module.
setup_logging.connect(on_setup_logging)
worker_init.connect(on_worker_init)
worker_process_init.connect(on_child_start)
worker_process_shutdown.connect(on_child_shutdown)
worker_ready.connect(on_worker_ready)
task_received.connect(on_message_received)
worker_shutting_down.connect(on_worker_shutting_down)
