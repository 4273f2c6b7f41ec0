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

from pipeline.core.errors import CratewireError
from pipeline.infra import metrics
from pipeline.infra.tracing import span
from pipeline.ledger.faults import DatabaseFault, classify_database_error
from pipeline.monitoring.database_trouble import report_trouble
from tasks.process import get_process_context
from tasks.worker.backpressure import note_taken
from tasks.worker.codec import decode_payload, encode_payload
from tasks.worker.soft_time_limit import soft_time_limit

log = structlog.get_logger(__name__)

# A server of ours is not to be had: no fault of the task, and no trace helps.
UNAVAILABLE_ERRORS = (RedisError, BrokerAway, OperationalError, NoConnectionFree)
CELERY_ERRORS = (Ignore, Reject, Retry, SoftTimeLimitExceeded)


class TaskFailed(Exception):
    """A task ended by an error, whose text stays here: Celery shows errors in logs, in events and in flower."""


class RedactedTask(Task):  # type: ignore[misc]  # Celery ships no types
    """A task whose arguments, result and errors stay out of headers, logs and flower: they hold people's data."""

    abstract = True
    resultrepr_maxsize = 1  # 0 would mean without limit
    throws = (TaskFailed,)  # told here already

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        chain = self.request.root_id
        if not self.request.called_directly:
            note_taken(self.request.delivery_info["routing_key"])
        with (
            bound_contextvars(task=self.name, chain=chain),
            _measure_duration(self.name),
            _trace_span(self.name, chain),
        ):
            try:
                with soft_time_limit():
                    result = self.run(*map(decode_payload, args), **kwargs)
                return result if self.request.called_directly else encode_payload(result)
            except (CratewireError, *CELERY_ERRORS):
                raise
            except Exception as error:  # noqa: BLE001 whatever it is, its text may quote a body
                report_failure(self.name, error)
                raise TaskFailed(f"{type(error).__name__} in {self.name}") from None

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        options.setdefault("argsrepr", "(…)")
        options.setdefault("kwargsrepr", "{…}")
        return super().apply_async(args, kwargs, **options)


def _measure_duration(name: str) -> AbstractContextManager[Any]:
    """A sweep is no work: it only looks."""
    timed: AbstractContextManager[Any] = (
        nullcontext() if name.endswith(".sweep") else metrics.LINK_SECONDS.labels(name).time()
    )
    return timed


def _trace_span(name: str, chain: str | None) -> AbstractContextManager[Any]:
    return nullcontext() if name.endswith(".sweep") else span(name, chain)


def report_failure(name: str, error: Exception) -> None:
    """Count and log it: in one line if a server of ours is at fault, else with the trace."""
    metrics.FAILED_TASKS.labels(name).inc()
    trouble = classify_database_error(error)
    if trouble is not None:
        log.warning("the database is at fault", error=type(error).__name__, code=trouble.code, detail=trouble.detail)
        _store_ledger_trouble(trouble, name)
    elif isinstance(error, UNAVAILABLE_ERRORS):
        log.warning("a task gave up for now", error=type(error).__name__)
    else:
        log.error("a task failed", exc_info=error)


def _store_ledger_trouble(trouble: DatabaseFault, name: str) -> None:
    here = get_process_context()
    with suppress(RedisError):  # it is in the log, and `doctor` looks at Redis itself
        report_trouble(here.redis, trouble, name, here.now())
