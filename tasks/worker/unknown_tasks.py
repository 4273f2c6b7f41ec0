"""Holds messages of tasks that this version does not know, and resends them when a version starts that does.

Celery would discard them, and log their content. During an upgrade old and new workers consume the same queues, so each
may get messages that only the other knows. They are stored in our Redis, whatever the broker is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from typing import Any

import structlog
from celery import Celery
from redis import Redis, RedisError

from pipeline.infra import redis_keys

log = structlog.get_logger(__name__)

MAX_HELD_MESSAGES = 10_000  # the oldest are dropped first


def hold(redis: Redis, message: Any) -> bool:
    """Store a message. Returns False if Redis is unavailable."""
    task, queue = _get_task_name(message), message.delivery_info.get("routing_key", "")
    held = {
        "task": task,
        "queue": queue,
        "headers": message.headers,
        "body": base64.b64encode(_get_body_bytes(message.body)).decode("ascii"),
        "content_type": message.content_type,
        "content_encoding": message.content_encoding,
        "correlation_id": message.properties.get("correlation_id"),
    }
    try:
        with redis.pipeline(transaction=True) as pipe:
            pipe.rpush(redis_keys.HELD_MESSAGES, json.dumps(held))
            pipe.ltrim(redis_keys.HELD_MESSAGES, -MAX_HELD_MESSAGES, -1)
            pipe.execute()
    except RedisError:
        return False
    log.warning("held a message of an unknown task", task=task, queue=queue)
    return True


def resend(redis: Redis, app: Celery, known: Collection[str]) -> int:
    """Resend the messages whose tasks are known now, and return their number."""
    length: Any = redis.llen(redis_keys.HELD_MESSAGES)
    sent = 0
    for _ in range(length):
        raw: Any = redis.lpop(redis_keys.HELD_MESSAGES)
        if raw is None:
            break
        held = json.loads(raw)
        if held["task"] in known:
            _send(app, held)
            sent += 1
        else:
            redis.rpush(redis_keys.HELD_MESSAGES, raw)
    return sent


def _send(app: Celery, held: dict[str, Any]) -> None:
    with app.producer_or_acquire() as producer:
        producer.publish(
            base64.b64decode(held["body"]),
            exchange=held["queue"],
            routing_key=held["queue"],
            headers=held["headers"],
            content_type=held["content_type"],
            content_encoding=held["content_encoding"],
            correlation_id=held["correlation_id"],
            retry=True,
        )


def _get_task_name(message: Any) -> str:
    return str((message.headers or {}).get("task", ""))


def _get_body_bytes(body: Any) -> bytes:
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else str(body).encode()
