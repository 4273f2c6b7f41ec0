"""The Celery app. Importing it does not read the environment; the first use of its configuration does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery

from pipeline.settings import Settings, read_environment
from tasks.config import celery_config
from tasks.worker.base import RedactedTask
from tasks.worker.broker import FastReconnectAMQP

INCLUDED = [  # the modules that register tasks and signals
    "tasks.attention",
    "tasks.hooks",
    "tasks.backfills",
    "tasks.deliveries",
    "tasks.fulfilment",
    "tasks.lookups",
    "tasks.mails",
    "tasks.reconciliation",
    "tasks.registration",
    "tasks.people",
    "tasks.rehearsals",
    "tasks.replays",
    "tasks.stores",
    "tasks.sweeps",
    "tasks.counts",
    "tasks.retention",
    "tasks.statements",
    "tasks.search",
    "tasks.silence",
    "tasks.clock",
    "tasks.dead",
    "tasks.worker.controls",
    "tasks.worker.signals",
]

_AFTER_SOFT_LIMIT_S = 30


def _defaults() -> dict[str, Any]:
    return celery_config(Settings.from_environment(read_environment()))


def task(name: str, *, bind: bool = False, limit_s: int | None = None) -> Callable[[Callable[..., object]], Any]:
    """Register a function as a task under this name. `limit_s`: how long it may take, if not as long as any."""
    limits = {} if limit_s is None else {"soft_time_limit": limit_s, "time_limit": limit_s + _AFTER_SOFT_LIMIT_S}

    def decorate(function: Callable[..., object]) -> Any:
        return app.task(name=name, bind=bind, **limits)(function)

    return decorate


app = Celery(
    "cratewire",
    amqp=FastReconnectAMQP,
    task_cls=RedactedTask,
    include=INCLUDED,
)
app.add_defaults(_defaults)
