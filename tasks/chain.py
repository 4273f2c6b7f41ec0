"""The chain of tasks that processes hooks, and how it is started."""

from __future__ import annotations

from celery import chain, signature

from pipeline.inbox.stream import WAKEUP_TTL_S
from pipeline.infra import redis_keys
from tasks.app import app
from tasks.config import DELIVERIES, HOOKS
from tasks.process import get_process_context
from tasks.worker.backpressure import is_stalled

LINKS = (
    ("hooks.decode", HOOKS),
    ("hooks.validate", HOOKS),
    ("hooks.fan_out", HOOKS),
    ("deliveries.forward", DELIVERIES),
)


def start_chain() -> None:
    """Publish one run of the chain. Raises kombu's error if the broker is unavailable; the sweep publishes again."""
    if is_stalled(app, HOOKS):
        return
    links = [signature(name, app=app).set(queue=queue, argsrepr="(…)") for name, queue in LINKS]
    chain(*links, app=app).apply_async()


def wake_once() -> None:
    """Start a run unless one has been started already."""
    if get_process_context().redis.set(redis_keys.WAKEUP, 1, nx=True, ex=WAKEUP_TTL_S):
        start_chain()


def wake_again() -> None:
    """Start a run in any case: the publisher of an earlier one may have failed, and a superfluous run finds nothing."""
    get_process_context().redis.set(redis_keys.WAKEUP, 1, ex=WAKEUP_TTL_S)
    start_chain()
