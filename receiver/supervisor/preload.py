"""Imports what the processes of an installation need before they are forked, so that their memory is shared.

No module may start a thread or open a connection when it is imported: neither would survive the fork.
"""

from __future__ import annotations

import gc
import importlib
from collections.abc import Sequence

WEB = (
    "receiver.serve",
    "receiver.hooks.build",
    "receiver.live",
    "uvloop",
    "granian.rsgi",
    "granian.server.embed",
    "tasks.chain",
)
WORKERS = (
    "tasks.app",
    "tasks.worker.start",
    "celery.apps.worker",
    "celery.concurrency.prefork",
    "celery.fixups.django",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.worker",
    "kombu.transport.redis",
    "receiver.supervisor.readiness",
)


def preload() -> None:
    """Import what the processes need. The tasks' modules are those that the Celery app includes."""
    gc.disable()  # a collection would look at objects that stay anyway
    try:
        for module in (*WEB, *WORKERS, *_list_task_modules()):
            importlib.import_module(module)
        _load_before_fork()
    finally:
        gc.enable()
    gc.collect()
    gc.freeze()  # no later collection touches, and thereby copies, what the processes share


def _list_task_modules() -> Sequence[str]:
    from tasks.app import INCLUDED  # noqa: PLC0415  `cratewire run` refuses a taken port before it imports all this

    return INCLUDED


def _load_before_fork() -> None:
    from tasks.worker.signals import load_before_fork  # noqa: PLC0415  as above

    load_before_fork()
