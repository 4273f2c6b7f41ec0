"""The base class of our tasks: keeps personal data out of messages' headers, logs and errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import structlog
from celery import Task
from celery.exceptions import Ignore, Reject, Retry, SoftTimeLimitExceeded
from kombu.exceptions import OperationalError as BrokerAway
from redis import RedisError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from structlog.contextvars import bound_contextvars, get_contextvars

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

# A server of ours is unavailable: not the task's fault, and a traceback would not help.
UNAVAILABLE_ERRORS = (RedisError, BrokerAway, OperationalError, NoConnectionFree)
SWEEPS = (".sweep", ".tick")  # the ends of their names
CHAIN_LINKS = ("hooks.decode", "hooks.validate", "hooks.fan_out")  # a task runs several, see `link_scope`
CELERY_ERRORS = (Ignore, Reject, Retry, SoftTimeLimitExceeded)
_FAILED_LINK = "cratewire_link"  # an attribute of an error: the link that it ended


class TaskFailed(Exception):
    """A task failed. Replaces the error, whose text Celery would show in logs, events and flower."""


class RedactedTask(Task):  # type: ignore[misc]  # Celery ships no types
    """A task whose arguments, result and errors do not appear in headers, logs or flower: they hold personal data."""

    abstract = True
    resultrepr_maxsize = 1  # 0 would mean without limit
    throws = (TaskFailed,)  # logged by report_failure already

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        chain = self.request.root_id or get_contextvars().get("chain")  # a task may call another
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
            except (CratewireError, TaskFailed, *CELERY_ERRORS):
                raise
            except Exception as error:  # noqa: BLE001 the text of any error may quote a body
                name = str(vars(error).get(_FAILED_LINK, self.name))
                report_failure(name, error)
                raise TaskFailed(f"{type(error).__name__} in {name}") from None

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        options.setdefault("argsrepr", "(…)")
        options.setdefault("kwargsrepr", "{…}")
        return super().apply_async(args, kwargs, **options)


@contextmanager
def link_scope(name: str) -> Iterator[None]:
    """A link of the chain, in whichever task: its log lines, time, span and failure have its name."""
    chain = get_contextvars().get("chain")
    with bound_contextvars(task=name), metrics.LINK_SECONDS.labels(name).time(), span(name, chain):
        try:
            yield
        except Exception as error:
            vars(error).setdefault(_FAILED_LINK, name)
            raise


def _measure_duration(name: str) -> AbstractContextManager[Any]:
    """Time the task, unless it times its links, or is a sweep, which mostly finds nothing to do."""
    timed: AbstractContextManager[Any] = (
        nullcontext() if _is_untimed(name) else metrics.LINK_SECONDS.labels(name).time()
    )
    return timed


def _trace_span(name: str, chain: str | None) -> AbstractContextManager[Any]:
    return nullcontext() if _is_untimed(name) else span(name, chain)


def _is_untimed(name: str) -> bool:
    return name in CHAIN_LINKS or name.endswith(SWEEPS)


def report_failure(name: str, error: Exception) -> None:
    """Count and log the error: in one line if a server of ours is unavailable, else with its traceback."""
    metrics.FAILED_TASKS.labels(name).inc()
    trouble = classify_database_error(error)
    if trouble is not None:
        log.warning("the database is at fault", error=type(error).__name__, code=trouble.code, detail=trouble.detail)
        _store_ledger_trouble(trouble, name)
    elif isinstance(error, UNAVAILABLE_ERRORS):
        log.warning("task failed: server unavailable", error=type(error).__name__)
    else:
        log.error("a task failed", exc_info=error)


def _store_ledger_trouble(trouble: DatabaseFault, name: str) -> None:
    context = get_process_context()
    with suppress(RedisError):  # it is in the log, and `doctor` checks Redis itself
        report_trouble(context.redis, trouble, name, context.now())
