"""The chain of tasks that processes hooks, and how it is started."""

from __future__ import annotations

from collections.abc import Sequence

from celery import chain, signature

from pipeline.core.hooks import Batch
from pipeline.inbox.stream import WAKEUP_TTL_S
from pipeline.infra import redis_keys
from tasks.app import app
from tasks.config import DELIVERIES, HOOKS
from tasks.process import get_process_context
from tasks.worker.backpressure import is_stalled
from tasks.worker.codec import encode_payload

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
    _publish(LINKS, *((partition,) if partition else ()))


def continue_chain(link: str, batch: Batch) -> None:
    """Publish the rest of the chain from this link on, for a batch whose lease is parked."""
    names = [name for name, _ in LINKS]
    _publish(LINKS[names.index(link) :], encode_payload(batch))


def _publish(links: Sequence[tuple[str, str]], *arguments: object) -> None:
    signatures = [signature(name, app=app).set(queue=queue, argsrepr="(…)") for name, queue in links]
    if arguments:
        signatures[0] = signatures[0].clone(args=arguments)
    chain(*signatures, app=app).apply_async()


def wake_once(partition: int = 0) -> None:
    """Start a run unless one has been started already."""
    key = redis_keys.in_partition(redis_keys.WAKEUP, partition)
    if get_process_context().redis.set(key, 1, nx=True, ex=WAKEUP_TTL_S):
        start_chain(partition)


def wake_again(partition: int = 0) -> None:
    """Start a run in any case: the publisher of an earlier one may have failed, and a superfluous run finds nothing."""
    get_process_context().redis.set(redis_keys.in_partition(redis_keys.WAKEUP, partition), 1, ex=WAKEUP_TTL_S)
    start_chain(partition)
