"""The Celery app. Importing it reads nothing: the environment is read when the configuration is first needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery, Task

from pipeline.settings import Settings, process_environment
from tasks.config import celery_config


class QuietTask(Task):  # type: ignore[misc]  # Celery ships no types
    """A task whose arguments and result stay out of headers, logs and flower: they hold people's data."""

    abstract = True
    resultrepr_maxsize = 1  # 0 would mean without limit

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        options.setdefault("argsrepr", "(…)")
        options.setdefault("kwargsrepr", "{…}")
        return super().apply_async(args, kwargs, **options)


def _defaults() -> dict[str, Any]:
    return celery_config(Settings.from_environment(process_environment()))


def task(name: str, *, bind: bool = False) -> Callable[[Callable[..., object]], Any]:
    """Make a function a task of ours, under this name."""

    def decorate(function: Callable[..., object]) -> Any:
        return app.task(name=name, bind=bind)(function)

    return decorate


app = Celery("cratewire", task_cls=QuietTask, include=["tasks.hooks", "tasks.deliveries"])
app.add_defaults(_defaults)
