"""The chain as Celery knows it, and how it is woken."""

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
    """Ask for one run of the chain. Raises kombu's error if the broker is away; the sweep asks again."""
    if is_stalled(app, HOOKS):
        return
    links = [signature(name, app=app).set(queue=queue, argsrepr="(…)") for name, queue in LINKS]
    chain(*links, app=app).apply_async()


def wake_once() -> None:
    """Ask for a run unless one is asked for already."""
    if get_process_context().redis.set(redis_keys.WAKEUP, 1, nx=True, ex=WAKEUP_TTL_S):
        start_chain()


def wake_again() -> None:
    """Ask for a run although one may be asked for: whoever asked may have failed to, and one too many finds nothing."""
    get_process_context().redis.set(redis_keys.WAKEUP, 1, ex=WAKEUP_TTL_S)
    start_chain()
