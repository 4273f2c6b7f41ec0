"""What all tasks of ours have in common: quiet messages, and failures that are told without what they quote."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import structlog
from celery import Task
from celery.exceptions import Ignore, Reject, Retry, SoftTimeLimitExceeded
from kombu.exceptions import OperationalError as BrokerAway
from redis import RedisError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from structlog.contextvars import bound_contextvars

from pipeline import metrics
from pipeline.errors import CratewireError
from pipeline.ledger.trouble import Trouble, trouble_of
from pipeline.traces import span
from pipeline.troubles import note_trouble
from tasks.parcel import pack, unpack
from tasks.process import this_process
from tasks.time_limit import soft_limit
from tasks.waiting import one_was_taken

log = structlog.get_logger(__name__)

# A server of ours is not to be had: no fault of the task, and no trace helps.
AWAY = (RedisError, BrokerAway, OperationalError, NoConnectionFree)
CELERYS = (Ignore, Reject, Retry, SoftTimeLimitExceeded)


class TaskFailed(Exception):
    """A task ended by an error, whose text stays here: Celery shows errors in logs, in events and in flower."""


class QuietTask(Task):  # type: ignore[misc]  # Celery ships no types
    """A task whose arguments, result and errors stay out of headers, logs and flower: they hold people's data."""

    abstract = True
    resultrepr_maxsize = 1  # 0 would mean without limit
    throws = (TaskFailed,)  # told here already

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        chain = self.request.root_id
        if not self.request.called_directly:
            one_was_taken(self.request.delivery_info["routing_key"])
        with bound_contextvars(task=self.name, chain=chain), _timed(self.name), _traced(self.name, chain):
            try:
                with soft_limit():
                    result = self.run(*map(unpack, args), **kwargs)
                return result if self.request.called_directly else pack(result)
            except (CratewireError, *CELERYS):
                raise
            except Exception as error:  # noqa: BLE001 whatever it is, its text may quote a body
                failed(self.name, error)
                raise TaskFailed(f"{type(error).__name__} in {self.name}") from None

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        options.setdefault("argsrepr", "(…)")
        options.setdefault("kwargsrepr", "{…}")
        return super().apply_async(args, kwargs, **options)


def _timed(name: str) -> AbstractContextManager[Any]:
    """A sweep is no work: it only looks."""
    timed: AbstractContextManager[Any] = nullcontext() if name.endswith(".sweep") else metrics.LINKS.labels(name).time()
    return timed


def _traced(name: str, chain: str | None) -> AbstractContextManager[Any]:
    return nullcontext() if name.endswith(".sweep") else span(name, chain)


def failed(name: str, error: Exception) -> None:
    """Count and log it: in one line if a server of ours is at fault, else with the trace."""
    metrics.FAILED.labels(name).inc()
    trouble = trouble_of(error)
    if trouble is not None:
        log.warning("the database is at fault", error=type(error).__name__, code=trouble.code, detail=trouble.detail)
        _note(trouble, name)
    elif isinstance(error, AWAY):
        log.warning("a task gave up for now", error=type(error).__name__)
    else:
        log.error("a task failed", exc_info=error)


def _note(trouble: Trouble, name: str) -> None:
    here = this_process()
    with suppress(RedisError):  # it is in the log, and `doctor` looks at Redis itself
        note_trouble(here.redis, trouble, name, here.now())
