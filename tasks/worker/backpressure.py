"""Whether a queue's messages are taken. While they are not, another hint would only lie beside those that wait.

Without this a weekend on which beat runs and no worker does fills the broker, by half a gigabyte a day, and the worker
that is started at last throws stale sweeps away for minutes before it begins.
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

MAX_WAITING_MESSAGES = 20  # messages that wait while none is taken: a worker that begins is soon through with them
TAKEN_LATELY_S = 15  # seconds
NOTE_INTERVAL_S = 5.0  # seconds after which a process tells again; a write to Redis waits for its disk

_noted_at: dict[tuple[int, str], float] = {}  # process and queue -> when


def note_taken(queue: str) -> None:
    """A task has begun whose message came from this queue."""
    told, now = (os.getpid(), queue), time.monotonic()
    if now - _noted_at.get(told, -NOTE_INTERVAL_S) < NOTE_INTERVAL_S:
        return
    with suppress(RedisError):
        get_process_context().redis.set(redis_keys.queue_activity(queue), 1, ex=TAKEN_LATELY_S)
        _noted_at[told] = now


def is_stalled(app: Celery, queue: str) -> bool:
    """Whether enough messages wait here and none was taken lately. A server that does not say holds nothing back."""
    try:
        taken = get_process_context().redis.exists(redis_keys.queue_activity(queue))
    except RedisError:
        return False
    return not taken and _count_waiting(app, queue) >= MAX_WAITING_MESSAGES


def count_messages(connection: Any, queue: str) -> int:
    """How many messages wait, as the broker says."""
    # On Redis a declaration makes nothing, and a passive one finds no queue where keys have a prefix: kombu asks
    # whether one exists without it.
    passive = connection.transport.driver_type == "amqp"
    with connection.channel() as channel:
        return int(channel.queue_declare(queue, passive=passive).message_count)


def _count_waiting(app: Celery, queue: str) -> int:
    with app.connection_or_acquire() as connection:
        try:
            connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)  # the pool's may be closed
            return count_messages(connection, queue)
        except (*connection.connection_errors, *connection.channel_errors):  # whoever sends will hear of it
            return 0
