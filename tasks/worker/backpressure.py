"""Backpressure: detects queues without an active consumer, to which no more messages should be sent.

Without it, beat without a worker fills the broker by half a gigabyte a day, and the worker that is started at last
discards stale sweeps for minutes before it begins.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any

from celery import Celery
from redis import RedisError

from pipeline.infra import redis_keys
from tasks.process import get_process_context

MAX_WAITING_MESSAGES = 20  # in a queue without a consumer: a worker that starts is soon through with them
RECENT_ACTIVITY_S = 15  # without which a queue counts as having no consumer
NOTE_INTERVAL_S = 5.0  # between two notes of a process; a write to Redis waits for its disk

_noted_at: dict[tuple[int, str], float] = {}  # process and queue -> monotonic time in s


def note_taken(queue: str) -> None:
    """Record that a task began whose message came from this queue."""
    key, now = (os.getpid(), queue), time.monotonic()
    if now - _noted_at.get(key, -NOTE_INTERVAL_S) < NOTE_INTERVAL_S:
        return
    with suppress(RedisError):
        get_process_context().redis.set(redis_keys.queue_activity(queue), 1, ex=RECENT_ACTIVITY_S)
        _noted_at[key] = now


def is_stalled(app: Celery, queue: str) -> bool:
    """Return whether messages wait in the queue and none was taken recently. False if Redis or the broker is down."""
    try:
        is_active = get_process_context().redis.exists(redis_keys.queue_activity(queue))
    except RedisError:
        return False
    return not is_active and _count_waiting(app, queue) >= MAX_WAITING_MESSAGES


def count_messages(connection: Any, queue: str) -> int:
    """Return the number of messages that wait in the queue, as the broker reports it."""
    with connection.channel() as channel:
        return count_messages_on(channel, queue)


def count_messages_on(channel: Any, queue: str) -> int:
    """Return the number of messages that wait in the queue, asked on an open channel."""
    # On Redis a declaration creates nothing, and a passive one finds no queue if keys have a prefix, which kombu leaves
    # out when it checks for existence.
    passive = channel.connection.client.transport.driver_type == "amqp"
    return int(channel.queue_declare(queue, passive=passive).message_count)


def _count_waiting(app: Celery, queue: str) -> int:
    with app.connection_or_acquire() as connection:
        try:
            connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)  # the pool's may be closed
            return count_messages(connection, queue)
        except (*connection.connection_errors, *connection.channel_errors):  # the sender gets this error itself
            return 0
