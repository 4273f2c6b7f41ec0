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


def start_chain(partition: int = 0) -> None:
    """Publish one run of a partition's chain. Raises kombu's error if the broker is unavailable; the sweep publishes
    again.

    The message for partition 0 is that of the releases that knew no partitions.
    """
    if is_stalled(app, HOOKS):
        return
    links = [signature(name, app=app).set(queue=queue, argsrepr="(…)") for name, queue in LINKS]
    if partition:
        links[0] = links[0].clone(args=(partition,))
    chain(*links, app=app).apply_async()


def wake_once(partition: int = 0) -> None:
    """Start a run unless one has been started already."""
    key = redis_keys.in_partition(redis_keys.WAKEUP, partition)
    if get_process_context().redis.set(key, 1, nx=True, ex=WAKEUP_TTL_S):
        start_chain(partition)


def wake_again(partition: int = 0) -> None:
    """Start a run in any case: the publisher of an earlier one may have failed, and a superfluous run finds nothing."""
    get_process_context().redis.set(redis_keys.in_partition(redis_keys.WAKEUP, partition), 1, ex=WAKEUP_TTL_S)
    start_chain(partition)
