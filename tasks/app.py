"""The Celery app. Importing it reads nothing: the environment is read when the configuration is first needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery

from pipeline.settings import Settings, process_environment
from tasks.base import QuietTask
from tasks.broker import PromptAMQP
from tasks.config import celery_config


def _defaults() -> dict[str, Any]:
    return celery_config(Settings.from_environment(process_environment()))


def task(name: str, *, bind: bool = False) -> Callable[[Callable[..., object]], Any]:
    """Make a function a task of ours, under this name."""

    def decorate(function: Callable[..., object]) -> Any:
        return app.task(name=name, bind=bind)(function)

    return decorate


app = Celery(
    "cratewire",
    amqp=PromptAMQP,
    task_cls=QuietTask,
    include=[
        "tasks.attention",
        "tasks.hooks",
        "tasks.backfills",
        "tasks.deliveries",
        "tasks.mails",
        "tasks.reconciliation",
        "tasks.registration",
        "tasks.silence",
        "tasks.clock",
        "tasks.dead",
        "tasks.controls",
        "tasks.signals",
    ],
)
app.add_defaults(_defaults)
